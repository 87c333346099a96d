#include "tests/node_agent/engines/engine_contract.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>

#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

void Fill(std::vector<std::byte>& bytes, DataType type, std::minstd_rand& random) {
  if (type == DataType::kFp32) {
    std::uniform_real_distribution<float> pixel(0, 1);
    for (size_t i = 0; i + sizeof(float) <= bytes.size(); i += sizeof(float)) {
      const float value = pixel(random);
      std::memcpy(&bytes[i], &value, sizeof(value));
    }
  } else {
    for (std::byte& byte : bytes)
      byte = static_cast<std::byte>(random() % 2); // valid for every type, also BOOL
  }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitizerKeepsFreedMemory = true;
#else
constexpr bool kSanitizerKeepsFreedMemory = false;
#endif

bool SameOutputs(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return x.spec == y.spec && x.data == y.data; });
}

/// Whether a tensor is what a signature says, where -1 stands for any extent.
bool Fits(TensorSpec found, const TensorSpec& wanted) {
  if (found.shape.size() != wanted.shape.size()) return false;
  for (size_t i = 0; i < found.shape.size(); ++i)
    if (wanted.shape[i] == -1) found.shape[i] = -1;
  return found == wanted;
}

} // namespace

FilledInputs::FilledInputs(const ModelSignature& signature, unsigned seed, int64_t extent) {
  std::minstd_rand random(seed);
  for (TensorSpec spec : signature.inputs) {
    std::replace(spec.shape.begin(), spec.shape.end(), int64_t{-1}, extent);
    bytes_.emplace_back(ByteSize(spec).value());
    if (seed != 0) Fill(bytes_.back(), spec.type, random);
    views_.push_back({spec, bytes_.back()});
  }
}

RunRequest FilledInputs::request() const {
  RunRequest request;
  request.inputs = views_;
  return request;
}

size_t OpenFiles() {
  const std::filesystem::directory_iterator items("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(items), end(items)));
}

uint64_t ResidentBytesNow() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

std::filesystem::path EnginePrefix() {
  const char* prefix = std::getenv("AVOCET_PREFIX"); // NOLINT(concurrency-mt-unsafe)
  return prefix ? prefix : "/opt/avocet";
}

void EngineContract::SetUp() {
  auto engine = MakeEngine(GetParam().options);
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  engine_ = std::move(*engine);
}

std::unique_ptr<LoadedModel> EngineContract::Load(const std::filesystem::path& file) {
  auto model = engine_->Load({ModelId(file.stem().string() + ":1"), file});
  EXPECT_TRUE(model.ok()) << model.status().ToString();
  return model.ok() ? std::move(*model) : nullptr;
}

TEST_P(EngineContract, SaysWhichEngineItIs) {
  EXPECT_EQ(engine_->kind(), GetParam().options.kind);
}

TEST_P(EngineContract, DescribesALoadedModel) {
  const auto model = Load(GetParam().model);
  ASSERT_TRUE(model);
  const auto describe = [](const std::vector<TensorSpec>& specs) {
    std::string text;
    for (const TensorSpec& spec : specs)
      text += spec.name + " " + Describe(spec) + "\n";
    return text;
  };
  EXPECT_EQ(describe(model->signature().inputs), describe(GetParam().signature.inputs));
  EXPECT_EQ(describe(model->signature().outputs), describe(GetParam().signature.outputs));
  EXPECT_GE(model->memory_bytes(), std::filesystem::file_size(GetParam().model));
}

TEST_P(EngineContract, OutputsHaveTheSignaturesShapes) {
  const auto model = Load(GetParam().model);
  ASSERT_TRUE(model);
  for (const unsigned seed : {0u, 1u}) {
    const auto result = model->Run(FilledInputs(model->signature(), seed).request());
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    ASSERT_EQ(result->outputs.size(), model->signature().outputs.size());
    for (size_t i = 0; i < result->outputs.size(); ++i) {
      EXPECT_TRUE(Fits(result->outputs[i].spec, model->signature().outputs[i])) << Describe(result->outputs[i].spec);
      EXPECT_EQ(result->outputs[i].data.size(), ByteSize(result->outputs[i].spec).value());
    }
    EXPECT_GT(result->attained_service, Duration{});
  }
}

TEST_P(EngineContract, EqualInputsGiveEqualOutputs) {
  const auto model = Load(GetParam().model);
  ASSERT_TRUE(model);
  const auto first = model->Run(FilledInputs(model->signature(), 7).request());
  const auto other = model->Run(FilledInputs(model->signature(), 8).request());
  const auto again = model->Run(FilledInputs(model->signature(), 7).request());
  ASSERT_TRUE(first.ok() && other.ok() && again.ok());
  EXPECT_TRUE(SameOutputs(first->outputs, again->outputs));
}

TEST_P(EngineContract, RefusesWrongInputsByName) {
  const auto model = Load(GetParam().model);
  ASSERT_TRUE(model);
  const std::string name = model->signature().inputs[0].name;
  FilledInputs renamed(model->signature(), 0);
  renamed.views()[0].spec.name = "no-such-input";
  FilledInputs reshaped(model->signature(), 0);
  reshaped.views()[0].spec.shape.push_back(2);
  FilledInputs cut(model->signature(), 0);
  cut.views()[0].data = cut.views()[0].data.first(1);
  FilledInputs missing(model->signature(), 0);
  missing.views().erase(missing.views().begin());
  for (const FilledInputs* inputs : {&reshaped, &cut, &missing}) {
    const Status status = model->Run(inputs->request()).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("'" + name + "'"), std::string::npos) << status.message();
  }
  EXPECT_EQ(model->Run(renamed.request()).status(), InvalidArgument("input 'no-such-input' is unknown to the model"));
  EXPECT_TRUE(model->Run(FilledInputs(model->signature(), 0).request()).ok()) << "the model stays usable";
}

TEST_P(EngineContract, AFailedLoadLeavesNothingBehind) {
  const TempDir dir;
  const auto garbage = dir.path() / "garbage";
  const auto cut = dir.path() / "cut";
  const auto empty = dir.path() / "empty";
  std::ofstream(garbage) << std::string(10'000, '\x42');
  std::ofstream(empty) << "";
  std::filesystem::copy_file(GetParam().model, cut);
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
  const size_t files = OpenFiles();
  for (const auto& file : {garbage, empty, cut}) {
    const Status status = engine_->Load({ModelId("bad:1"), file}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << file << ": " << status.ToString();
    EXPECT_NE(status.message().find(file.string()), std::string::npos) << status.message();
  }
  EXPECT_EQ(engine_->Load({ModelId("bad:1"), dir.path() / "none"}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(OpenFiles(), files);
  EXPECT_TRUE(Load(GetParam().model));
}

TEST_P(EngineContract, UnloadClosesFilesAndReturnsMemory) {
  ASSERT_TRUE(Load(GetParam().model)); // what the first load keeps for all later ones
  const size_t files = OpenFiles();
  malloc_trim(0);
  const uint64_t before = ResidentBytesNow();
  for (int i = 0; i < 12; ++i) {
    const auto model = Load(GetParam().model);
    ASSERT_TRUE(model);
    ASSERT_TRUE(model->Run(FilledInputs(model->signature(), 1).request()).ok());
  }
  malloc_trim(0);
  EXPECT_EQ(OpenFiles(), files);
  if (kSanitizerKeepsFreedMemory) return;
  const uint64_t margin = 4 * std::max<uint64_t>(std::filesystem::file_size(GetParam().model), kMiB);
  EXPECT_LT(ResidentBytesNow(), before + margin) << "12 loads that leaked would leave at least 12 times the file";
}

TEST_P(EngineContract, TwoModelsRunInTwoThreads) {
  const auto one = Load(GetParam().model);
  const auto two = Load(GetParam().other_model);
  ASSERT_TRUE(one && two);
  const auto reference_of = [](LoadedModel& model) {
    return model.Run(FilledInputs(model.signature(), 3).request()).value().outputs;
  };
  const auto run_often = [](LoadedModel& model, const std::vector<Tensor>& reference) {
    for (int i = 0; i < 20; ++i) {
      const auto result = model.Run(FilledInputs(model.signature(), 3).request());
      ASSERT_TRUE(result.ok()) << result.status().ToString();
      EXPECT_TRUE(SameOutputs(result->outputs, reference));
    }
  };
  const auto reference_one = reference_of(*one);
  const auto reference_two = reference_of(*two);
  std::thread other([&] { run_often(*two, reference_two); });
  run_often(*one, reference_one);
  other.join();
}

TEST_P(EngineContract, AModelOutlivesItsEngine) {
  const auto model = Load(GetParam().model);
  ASSERT_TRUE(model);
  engine_.reset();
  EXPECT_TRUE(model->Run(FilledInputs(model->signature(), 0).request()).ok());
}

TEST_P(EngineContract, ARunStopsWhenAskedIfTheEngineSaysSo) {
  if (!engine_->can_cancel()) return; // honoured only by engines that declare it
  ASSERT_FALSE(GetParam().slow_model.empty());
  const auto model = Load(GetParam().slow_model);
  ASSERT_TRUE(model);
  const FilledInputs inputs(model->signature(), 0, GetParam().slow_extent);
  for (const bool before : {true, false}) {
    std::stop_source stop;
    if (before) stop.request_stop();
    Status status;
    std::thread runner([&] {
      RunRequest request = inputs.request();
      request.stop = stop.get_token();
      status = model->Run(request).status();
    });
    stop.request_stop();
    runner.join(); // the run itself would take minutes
    EXPECT_EQ(status.code(), StatusCode::kCancelled);
  }
}

} // namespace avocet

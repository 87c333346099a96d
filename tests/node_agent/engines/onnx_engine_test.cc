#include "node_agent/engines/onnx_engine.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <future>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/scheduling/device_scheduler.h"
#include "tests/node_agent/engines/engine_contract.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/temp_dir.h"

// These tests need the library and a sample model: deploy/install-engines. They fail without.
namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::filesystem::path Write(const std::filesystem::path& file, const OnnxGraph& graph) {
  std::ofstream(file, std::ios::binary) << Encode(graph);
  return file;
}

/// Files that live as long as the test program.
std::filesystem::path Shared(const std::string& name, const OnnxGraph& graph) {
  static const TempDir kDir;
  return Write(kDir.path() / name, graph);
}

/// y = relu(x w + b), x of `batch` rows.
OnnxGraph Dense(int64_t batch, int64_t in, int64_t out, const std::vector<float>& w, const std::vector<float>& b) {
  return {.inputs = {{"x", DataType::kFp32, {batch, in}}},
          .outputs = {{"y", DataType::kFp32, {batch, out}}},
          .constants = {FloatTensor("w", {in, out}, w), FloatTensor("b", {out}, b)},
          .nodes = {{"MatMul", {"x", "w"}, {"xw"}}, {"Add", {"xw", "b"}, {"sum"}}, {"Relu", {"sum"}, {"y"}}}};
}

std::vector<float> Noise(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> value(-1, 1);
  std::vector<float> values(count);
  for (float& v : values)
    v = value(random);
  return values;
}

constexpr int64_t kIn = 640;
constexpr int64_t kOut = 512;

OnnxGraph RandomDense(int64_t batch) {
  return Dense(batch, kIn, kOut, Noise(kIn * kOut, 1), Noise(kOut, 2));
}

/// x multiplied with itself again and again: instant for one row, minutes for thousands.
OnnxGraph Slow() {
  OnnxGraph graph{.inputs = {{"x", DataType::kFp32, {-1, -1}}},
                  .outputs = {{"y", DataType::kFp32, {-1, -1}}},
                  .constants = {},
                  .nodes = {}};
  constexpr int kNodes = 2000;
  std::string before = "x";
  for (int i = 0; i < kNodes; ++i) {
    const std::string next = i + 1 < kNodes ? "y" + std::to_string(i) : "y";
    graph.nodes.push_back({"MatMul", {before, "x"}, {next}});
    before = next;
  }
  return graph;
}
constexpr int64_t kSlowExtent = 1500; // a node takes tens of milliseconds

std::filesystem::path TextDirection() {
  return EnginePrefix() / "share" / "avocet" / "models" / "ch_ppocr_mobile_v2.0_cls_infer.onnx";
}

EngineCase Case(const std::string& name, const std::filesystem::path& model, ModelSignature signature,
                Discipline discipline) {
  return {.name = name,
          .options = {EngineKind::kOnnx, DeviceKind::kCpu, discipline, EnginePrefix()},
          .model = model,
          .signature = std::move(signature),
          .other_model = TextDirection(),
          .slow_model = Shared("slow", Slow()),
          .slow_extent = kSlowExtent};
}

INSTANTIATE_TEST_SUITE_P(
    Onnx, EngineContract,
    testing::Values(Case("fixed_shape", Shared("fixed", RandomDense(4)),
                         {{{"x", DataType::kFp32, {4, kIn}}}, {{"y", DataType::kFp32, {4, kOut}}}}, Discipline::kFifo),
                    Case("open_batch", Shared("open", RandomDense(-1)),
                         {{{"x", DataType::kFp32, {-1, kIn}}}, {{"y", DataType::kFp32, {-1, kOut}}}},
                         Discipline::kTimeShared),
                    Case("text_direction", TextDirection(),
                         {{{"x", DataType::kFp32, {-1, 3, -1, -1}}}, {{"softmax_0.tmp_0", DataType::kFp32, {-1, 2}}}},
                         Discipline::kFifo)),
    [](const auto& info) { return info.param.name; });

class OnnxEngineTest : public testing::Test {
protected:
  void SetUp() override {
    auto engine = MakeOnnxEngine(EnginePrefix(), DeviceKind::kCpu, Discipline::kFifo);
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
  }
  Result<std::unique_ptr<LoadedModel>> TryLoad(const OnnxGraph& graph) {
    return engine_->Load({ModelId("m:1"), Write(dir_.path() / "m.onnx", graph)});
  }
  std::unique_ptr<LoadedModel> Load(const OnnxGraph& graph) { return TryLoad(graph).value(); }

  static Result<std::vector<Tensor>> Run(LoadedModel& model, const std::vector<Tensor>& inputs) {
    std::vector<TensorView> views;
    for (const Tensor& input : inputs)
      views.push_back({input.spec, input.data});
    RunRequest request;
    request.inputs = views;
    auto result = model.Run(request);
    if (!result.ok()) return result.status();
    return std::move(result->outputs);
  }

  TempDir dir_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(OnnxEngineTest, GivesTheKnownAnswer) {
  // x w + b = (1*1 + 2*3 - 5, 1*2 + 2*4 - 20) = (2, -10), and relu makes 0 of the second.
  const auto model = Load(Dense(1, 2, 2, {1, 2, 3, 4}, {-5, -20}));
  const auto outputs = Run(*model, {FloatTensor("x", {1, 2}, {1, 2})});
  ASSERT_TRUE(outputs.ok()) << outputs.status().ToString();
  ASSERT_EQ(outputs->size(), 1u);
  EXPECT_EQ((*outputs)[0].spec, (TensorSpec{"y", DataType::kFp32, {1, 2}}));
  EXPECT_THAT(Floats((*outputs)[0]), ElementsAre(2, 0));
}

TEST_F(OnnxEngineTest, AnOpenBatchTakesAnyNumberOfRowsAndAgreesWithArithmetic) {
  const auto w = Noise(kIn * kOut, 1), b = Noise(kOut, 2);
  const auto model = Load(Dense(-1, kIn, kOut, w, b));
  for (const int64_t rows : {1, 2, 7, 0}) {
    const auto x = Noise(static_cast<size_t>(rows * kIn), 3);
    const auto outputs = Run(*model, {FloatTensor("x", {rows, kIn}, x)});
    ASSERT_TRUE(outputs.ok()) << outputs.status().ToString();
    ASSERT_THAT((*outputs)[0].spec.shape, ElementsAre(rows, kOut));
    const auto y = Floats((*outputs)[0]);
    for (size_t i = 0; i < y.size(); ++i) {
      double sum = b[i % kOut];
      for (size_t k = 0; k < kIn; ++k)
        sum += static_cast<double>(x[i / kOut * kIn + k]) * w[k * kOut + i % kOut];
      ASSERT_NEAR(y[i], std::max(sum, 0.0), 1e-4) << i;
    }
  }
}

TEST_F(OnnxEngineTest, InputsAreFoundByNameInAnyOrder) {
  const auto model = Load({.inputs = {{"a", DataType::kFp32, {1}}, {"b", DataType::kFp32, {1}}},
                           .outputs = {{"difference", DataType::kFp32, {1}}, {"sum", DataType::kFp32, {1}}},
                           .constants = {},
                           .nodes = {{"Add", {"a", "b"}, {"sum"}}, {"Sub", {"a", "b"}, {"difference"}}}});
  const auto outputs = Run(*model, {FloatTensor("b", {1}, {3}), FloatTensor("a", {1}, {10})});
  ASSERT_TRUE(outputs.ok());
  EXPECT_THAT(Floats((*outputs)[0]), ElementsAre(7));
  EXPECT_THAT(Floats((*outputs)[1]), ElementsAre(13));
}

OnnxGraph Identity(DataType type) {
  return {.inputs = {{"in", type, {-1}}},
          .outputs = {{"out", type, {-1}}},
          .constants = {},
          .nodes = {{"Identity", {"in"}, {"out"}}}};
}

TEST_F(OnnxEngineTest, EveryElementTypeOfTheProtocolPassesUnchanged) {
  for (const DataType type : {DataType::kBool, DataType::kUint8, DataType::kUint16, DataType::kUint32,
                              DataType::kUint64, DataType::kInt8, DataType::kInt16, DataType::kInt32, DataType::kInt64,
                              DataType::kFp16, DataType::kBf16, DataType::kFp32, DataType::kFp64}) {
    SCOPED_TRACE(std::string(ToString(type)));
    const auto model = Load(Identity(type));
    EXPECT_EQ(model->signature().inputs[0].type, type);
    Tensor input{{"in", type, {3}}, {}};
    for (size_t i = 0; i < 3 * ElementSize(type); ++i)
      input.data.push_back(static_cast<std::byte>(type == DataType::kBool ? i % 2 : i + 1));
    const auto outputs = Run(*model, {input});
    ASSERT_TRUE(outputs.ok()) << outputs.status().ToString();
    EXPECT_EQ((*outputs)[0].spec, (TensorSpec{"out", type, {3}}));
    EXPECT_EQ((*outputs)[0].data, input.data);
  }
}

std::vector<std::byte> WithLengths(const std::vector<std::string>& elements) {
  std::vector<std::byte> data;
  for (const std::string& element : elements) {
    const auto length = static_cast<uint32_t>(element.size());
    const auto prefix = std::as_bytes(std::span(&length, 1));
    const auto text = std::as_bytes(std::span(element));
    data.insert(data.end(), prefix.begin(), prefix.end());
    data.insert(data.end(), text.begin(), text.end());
  }
  return data;
}

TEST_F(OnnxEngineTest, BytesKeepZerosAndEmptyElements) {
  const auto model = Load(Identity(DataType::kBytes));
  const Tensor input{{"in", DataType::kBytes, {4}},
                     WithLengths({"door", "", std::string("a\0b", 3), std::string(1000, 'x')})};
  const auto outputs = Run(*model, {input});
  ASSERT_TRUE(outputs.ok()) << outputs.status().ToString();
  EXPECT_EQ((*outputs)[0].data, input.data);
  const auto empty = Run(*model, {Tensor{{"in", DataType::kBytes, {0}}, {}}});
  ASSERT_TRUE(empty.ok()) << empty.status().ToString();
  EXPECT_TRUE((*empty)[0].data.empty());
}

TEST_F(OnnxEngineTest, MalformedBytesAreRefusedByName) {
  const auto model = Load(Identity(DataType::kBytes));
  auto cut = WithLengths({"door", "gate"});
  cut.pop_back();
  for (const auto& data : {cut, WithLengths({"door"}), WithLengths({"a", "b", "c"}), std::vector<std::byte>(3)}) {
    const Status status = Run(*model, {Tensor{{"in", DataType::kBytes, {2}}, data}}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("'in'"));
  }
}

TEST_F(OnnxEngineTest, TakesInputsThatAreNotAligned) {
  const auto model = Load(Identity(DataType::kFp64));
  std::vector<std::byte> message(1 + 2 * sizeof(double), std::byte{7});
  const TensorView view{{"in", DataType::kFp64, {2}}, std::span(message).subspan(1)};
  RunRequest request;
  request.inputs = std::span(&view, 1);
  const auto result = model->Run(request);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_THAT(result->outputs[0].data, testing::Each(std::byte{7}));
}

TEST_F(OnnxEngineTest, WhatIsNoTensorIsRefusedByName) {
  OnnxGraph graph{.inputs = {{"x", DataType::kFp32, {1}}},
                  .outputs = {{"list", DataType::kFp32, {1}}},
                  .constants = {},
                  .nodes = {{"SequenceConstruct", {"x"}, {"list"}}},
                  .first_output_is_sequence = true};
  const Status status = TryLoad(graph).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("'list' is no tensor"));
}

TEST_F(OnnxEngineTest, AnUnknownOpIsRefusedWithTheLibrarysReason) {
  OnnxGraph graph = Identity(DataType::kFp32);
  graph.nodes[0].op = "Xonvolution";
  const size_t files = OpenFiles();
  const Status status = TryLoad(graph).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("model 'm:1'"));
  EXPECT_THAT(status.message(), HasSubstr("Xonvolution"));
  EXPECT_EQ(OpenFiles(), files);
}

TEST_F(OnnxEngineTest, AnInputThatTheGraphCannotUseIsAnErrorOfTheRun) {
  const auto model = Load({.inputs = {{"a", DataType::kFp32, {-1}}, {"b", DataType::kFp32, {-1}}},
                           .outputs = {{"sum", DataType::kFp32, {-1}}},
                           .constants = {},
                           .nodes = {{"Add", {"a", "b"}, {"sum"}}}});
  EXPECT_FALSE(Run(*model, {FloatTensor("a", {2}, {1, 2}), FloatTensor("b", {3}, {1, 2, 3})}).ok());
  const auto good = Run(*model, {FloatTensor("a", {2}, {1, 2}), FloatTensor("b", {2}, {3, 4})});
  ASSERT_TRUE(good.ok()) << "the model stays usable";
  EXPECT_THAT(Floats((*good)[0]), ElementsAre(4, 6));
}

TEST_F(OnnxEngineTest, OneModelServesThreadsAtOnce) {
  const auto model = Load(RandomDense(-1));
  const auto answer_of = [&](unsigned seed) {
    const auto rows = static_cast<int64_t>(1 + seed % 3);
    return Run(*model, {FloatTensor("x", {rows, kIn}, Noise(static_cast<size_t>(rows * kIn), seed))}).value()[0].data;
  };
  std::vector<std::vector<std::byte>> alone;
  for (unsigned seed = 0; seed < 4; ++seed)
    alone.push_back(answer_of(seed));
  std::vector<std::thread> threads;
  std::vector<int> wrong(alone.size(), 0);
  for (unsigned seed = 0; seed < alone.size(); ++seed)
    threads.emplace_back([&, seed] {
      for (int i = 0; i < 50; ++i)
        wrong[seed] += answer_of(seed) == alone[seed] ? 0 : 1;
    });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST_F(OnnxEngineTest, ARealModelAnswersEachRowOfABatchAsIfItCameAlone) {
  const auto model = engine_->Load({ModelId("direction:1"), TextDirection()}).value();
  constexpr size_t kPixels = 3 * 48 * 192;
  const auto one = Noise(kPixels, 1), two = Noise(kPixels, 2);
  auto both = one;
  both.insert(both.end(), two.begin(), two.end());
  const auto answer = [&](int64_t rows, const std::vector<float>& pixels) {
    return Floats(Run(*model, {FloatTensor("x", {rows, 3, 48, 192}, pixels)}).value()[0]);
  };
  const auto first = answer(1, one), second = answer(1, two), batch = answer(2, both);
  ASSERT_EQ(batch.size(), 4u);
  EXPECT_THAT(batch, testing::Pointwise(testing::FloatNear(1e-4F), {first[0], first[1], second[0], second[1]}));
  EXPECT_NE(first, second);
  EXPECT_NEAR(first[0] + first[1], 1, 1e-5) << "a softmax";
}

TEST_F(OnnxEngineTest, ARunEndsSoonAfterItsDeadlineAndTheModelGoesOn) {
  DeviceSpec spec;
  spec.node = NodeId("n");
  spec.name = "cpu0";
  spec.engine = EngineKind::kOnnx;
  spec.memory_bytes = 1024 * kMiB;
  DeviceScheduler scheduler(spec, BootId("b"), std::move(engine_));
  ASSERT_TRUE(scheduler.Load({ModelId("slow:1"), Write(dir_.path() / "slow", Slow())}).ok());
  ASSERT_TRUE(scheduler.Attach(AppId("a"), ModelId("slow:1")).ok());
  const auto run = [&](int64_t extent, Duration patience) {
    const Tensor x = FloatTensor("x", {extent, extent}, std::vector<float>(static_cast<size_t>(extent * extent)));
    std::promise<Status> done;
    const auto now = MonotonicTime::clock::now();
    const Status accepted = scheduler.Submit({.app = AppId("a"),
                                              .inputs = {{x.spec, x.data}},
                                              .keep_alive = nullptr,
                                              .received = now,
                                              .deadline = now + patience,
                                              .cancel = {},
                                              .done = [&](Completion c) { done.set_value(c.status); }});
    return accepted.ok() ? done.get_future().get() : accepted;
  };
  EXPECT_EQ(run(kSlowExtent, std::chrono::milliseconds(50)).code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(run(1, std::chrono::minutes(1)).ok());
}

std::filesystem::path TestModel(const std::string& name) {
  return std::filesystem::path(AVOCET_SOURCE_DIR) / "tests/data/models" / name;
}

TEST_F(OnnxEngineTest, AModelThatDoesNotRunOnWhatIsInventedIsLoaded) {
  const auto model = engine_->Load({ModelId("conv:1"), TestModel("conv_dyn.onnx")});
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_THAT((*model)->first_run().status.message(), HasSubstr("does not run on invented inputs"));
  const auto outputs = Run(**model, {FloatTensor("x", {1, 3, 8, 8}, std::vector<float>(192, 1))});
  EXPECT_TRUE(outputs.ok()) << outputs.status().ToString();
}

TEST_F(OnnxEngineTest, AGivenShapeMakesTheFirstRun) {
  const auto model =
      engine_->Load({ModelId("conv:1"), TestModel("conv_dyn.onnx"), {{{.name = "x", .shape = {{1, 3, 16, 16}}}, {}}}});
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_TRUE((*model)->first_run().status.ok()) << (*model)->first_run().status.ToString();
  EXPECT_EQ((*model)->signature().inputs[0].shape, (std::vector<int64_t>{-1, 3, -1, -1})) << "for clients all are open";
}

TEST_F(OnnxEngineTest, TextsThatAreNumbersMakeTheFirstRun) {
  const auto model = engine_->Load({ModelId("texts:1"), TestModel("simple_string.onnx")});
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_TRUE((*model)->first_run().status.ok()) << (*model)->first_run().status.ToString();
}

// The name of another model is the name of its file, in the folder that the library would look in.
TEST_F(OnnxEngineTest, AModelCannotReadTheFileOfAnother) {
  std::ofstream(dir_.path() / "extdata2.bin", std::ios::binary) << std::string(1600, 'x');
  std::filesystem::copy_file(TestModel("extdata2.onnx"), dir_.path() / "thief");
  const Status status = engine_->Load({ModelId("thief:1"), dir_.path() / "thief"}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("in another file, 'extdata2.bin'"));
}

// A session that a model sets up itself could name libraries and files.
TEST(OnnxEngineDeathTest, OptionsFromModelsAreRefused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        setenv("ORT_LOAD_CONFIG_FROM_MODEL", "1", 1);
        const auto engine = MakeOnnxEngine(EnginePrefix(), DeviceKind::kCpu, Discipline::kFifo);
        std::exit(engine.status().message().find("ORT_LOAD_CONFIG_FROM_MODEL is set") == std::string::npos ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

// A library whose environment is still there when the process ends can hang in its own destructors.
TEST(OnnxEngineDeathTest, AProcessThatUsedItEnds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        (void)MakeOnnxEngine(EnginePrefix(), DeviceKind::kGpu, Discipline::kFifo);
        {
          const auto engine = MakeOnnxEngine(EnginePrefix(), DeviceKind::kCpu, Discipline::kFifo);
          (void)(*engine)->Load({ModelId("m:1"), TextDirection()});
        }
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

} // namespace
} // namespace avocet

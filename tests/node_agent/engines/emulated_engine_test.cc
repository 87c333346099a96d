#include "node_agent/engines/emulated_engine.h"

#include <algorithm>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node_agent/engines/engine_contract.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;

constexpr const char* kTensors = R"(
[[input]]
name = "image"
datatype = "UINT8"
shape = [1, 8, 8, 3]
[[output]]
name = "scores"
datatype = "FP32"
shape = [1, 10]
)";

std::filesystem::path Write(const std::filesystem::path& file, const std::string& devices) {
  std::ofstream(file) << kTensors << devices;
  return file;
}

/// Files that live as long as the test program.
std::filesystem::path Shared(const std::string& name, const std::string& devices) {
  static const TempDir kDir;
  return Write(kDir.path() / name, devices);
}

EngineCase Case(Discipline discipline) {
  return {std::string(ToString(discipline)),
          {EngineKind::kEmulated, DeviceKind::kGpu, discipline, "/nowhere"},
          Shared("quick", "[device.gpu]\nservice_ms = 1\nmemory_mb = 2\n"),
          {{{"image", DataType::kUint8, {1, 8, 8, 3}}}, {{"scores", DataType::kFp32, {1, 10}}}},
          Shared("other", "[device.gpu]\nservice_ms = 2\nscv = 1\nmemory_mb = 2\n"),
          Shared("slow", "[device.gpu]\nservice_ms = 600000\nmemory_mb = 2\n")};
}

INSTANTIATE_TEST_SUITE_P(Emulated, EngineContract,
                         testing::Values(Case(Discipline::kFifo), Case(Discipline::kTimeShared)),
                         [](const auto& info) { return info.param.name; });

class EmulatedEngineTest : public testing::Test {
protected:
  std::unique_ptr<Engine> Make(Discipline discipline) {
    return MakeEmulatedEngine(DeviceKind::kEdgeTpu, discipline).value();
  }
  std::unique_ptr<LoadedModel> Load(Engine& engine, const std::string& id, const std::string& cost) {
    const auto file = Write(dir_.path() / id, "[device.edgetpu]\nmemory_mb = 100\n" + cost);
    return engine.Load({ModelId(id), file}).value();
  }
  static Duration Service(LoadedModel& model, bool switched = false) {
    const FilledInputs inputs(model.signature(), 0);
    RunRequest request = inputs.request();
    request.switched = switched;
    return model.Run(request).value().attained_service;
  }

  TempDir dir_;
};

TEST_F(EmulatedEngineTest, OutputsAreZerosAndTheCostsThoseOfTheFile) {
  const auto engine = Make(Discipline::kFifo);
  const auto model = Load(*engine, "m", "service_ms = 0.5\n");
  EXPECT_EQ(model->memory_bytes(), 100 * kMiB);
  const auto result = model->Run(FilledInputs(model->signature(), 9).request());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->attained_service, FromMillis(0.5));
  EXPECT_EQ(result->outputs[0].data, std::vector<std::byte>(40));
}

TEST_F(EmulatedEngineTest, ASwitchCostsItsOverheadUnderFifoOnly) {
  const auto fifo = Make(Discipline::kFifo);
  const auto shared = Make(Discipline::kTimeShared);
  const std::string cost = "service_ms = 0.5\nswitch_ms = 1.25\n";
  const auto on_fifo = Load(*fifo, "m", cost);
  const auto on_shared = Load(*shared, "m", cost);
  EXPECT_EQ(Service(*on_fifo, true), FromMillis(1.75));
  EXPECT_EQ(Service(*on_fifo, false), FromMillis(0.5));
  EXPECT_EQ(Service(*on_shared, true), FromMillis(0.5));
}

TEST_F(EmulatedEngineTest, ServiceTimesHaveTheMeanAndTheSpreadOfTheFile) {
  const auto engine = Make(Discipline::kFifo);
  const auto model = Load(*engine, "m", "service_ms = 0.01\nscv = 0.5\n");
  constexpr int kRuns = 4000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kRuns; ++i) { // seeded by the model's id: the same draws at every run of the test
    const double service_ms = ToMillis(Service(*model));
    sum += service_ms;
    squares += service_ms * service_ms;
  }
  const double mean = sum / kRuns;
  EXPECT_NEAR(mean, 0.01, 0.0005);
  EXPECT_NEAR(squares / kRuns / (mean * mean) - 1, 0.5, 0.08);
}

TEST_F(EmulatedEngineTest, ModelsOfOneNameDrawTheSameServiceTimes) {
  const auto engine = Make(Discipline::kFifo);
  const auto one = Load(*engine, "m", "service_ms = 0.01\nscv = 1\n");
  const auto two = Load(*engine, "m", "service_ms = 0.01\nscv = 1\n");
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(Service(*one), Service(*two));
}

/// Whatever the discipline, the device cannot do the work of both in less than the sum.
TEST_F(EmulatedEngineTest, HoldsTheDeviceForTheWorkOfAll) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    const auto engine = Make(discipline);
    const auto one = Load(*engine, "one", "service_ms = 20\n");
    const auto two = Load(*engine, "two", "service_ms = 30\n");
    const auto begin = MonotonicTime::clock::now();
    std::thread other([&] { Service(*two); });
    Service(*one);
    other.join();
    EXPECT_GE(MonotonicTime::clock::now() - begin, milliseconds(50)) << ToString(discipline);
  }
}

TEST_F(EmulatedEngineTest, ACancelledRunFreesTheDevice) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    const auto engine = Make(discipline);
    const auto slow = Load(*engine, "slow", "service_ms = 600000\n");
    const auto quick = Load(*engine, "quick", "service_ms = 1\n");
    std::stop_source stop;
    std::thread runner([&] {
      const FilledInputs inputs(slow->signature(), 0);
      RunRequest request = inputs.request();
      request.stop = stop.get_token();
      EXPECT_EQ(slow->Run(request).status().code(), StatusCode::kCancelled);
    });
    stop.request_stop();
    runner.join();
    EXPECT_EQ(Service(*quick), milliseconds(1)); // would wait ten minutes for a device still held
  }
}

TEST_F(EmulatedEngineTest, AModelThatDoesNotKnowTheDeviceIsUnsupported) {
  const auto engine = Make(Discipline::kFifo);
  const auto file = Write(dir_.path() / "gpu", "[device.gpu]\nservice_ms = 1\nmemory_mb = 1\n");
  EXPECT_EQ(engine->Load({ModelId("m:1"), file}).status(),
            Unsupported("model 'm:1' has no section [device.edgetpu]: it is not emulated on such devices"));
}

TEST(MakeEngine, RefusesWhatItCannotDo) {
  EXPECT_EQ(MakeEngine({.kind = EngineKind::kTflite, .device_kind = DeviceKind::kGpu}).status(),
            Unsupported("engine tflite serves no gpu devices; onnx and emulated do"));
  const Status status = MakeEmulatedEngine(DeviceKind::kGpu, Discipline::kMultiServer).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
}

} // namespace
} // namespace avocet

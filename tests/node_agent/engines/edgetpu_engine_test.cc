#include <cmath>
#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/engines/shared_library.h"
#include "node_agent/engines/tflite_engine.h"
#include "tests/node_agent/engines/engine_contract.h"
#include "tests/node_agent/engines/fake_edgetpu.h"
#include "tests/support/temp_dir.h"

// Coral's route with a stand-in for its library. No real accelerator was ever behind it.
namespace avocet {
namespace {

using testing::HasSubstr;

std::filesystem::path SampleModel(const std::string& name) {
  return EnginePrefix() / "share" / "avocet" / "models" / (name + ".tflite");
}

/// The segmentation model with its custom op renamed to the accelerator's, as Coral's compiler leaves it: a
/// length and the name, which is shorter.
std::string CompiledModel() {
  std::ifstream in(SampleModel("selfie_segmentation"), std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  const std::string old_op = "Convolution2DTransposeBias", op = "edgetpu-custom-op";
  const size_t at = bytes.find(old_op);
  if (at == std::string::npos) throw std::runtime_error("the model has no op " + old_op);
  const auto length = static_cast<uint32_t>(op.size());
  std::memcpy(&bytes[at - sizeof(length)], &length, sizeof(length));
  bytes.replace(at, old_op.size(), op + std::string(old_op.size() - op.size(), '\0'));
  return bytes;
}

class EdgeTpuEngine : public testing::Test {
protected:
  void SetUp() override {
    auto library = SharedLibrary::Open(AVOCET_FAKE_EDGETPU);
    ASSERT_TRUE(library.ok()) << library.status().ToString();
    ASSERT_TRUE(library->Bind("fake_edgetpu", fake_).ok());
    *fake_ = {};
    auto engine = MakeEngine({.kind = EngineKind::kTflite,
                              .device_kind = DeviceKind::kEdgeTpu,
                              .prefix = EnginePrefix(),
                              .edgetpu_library = AVOCET_FAKE_EDGETPU});
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
  }
  Result<std::unique_ptr<LoadedModel>> LoadCompiled() {
    std::ofstream(dir_.path() / "m.tflite", std::ios::binary) << CompiledModel();
    return engine_->Load({ModelId("m:1"), dir_.path() / "m.tflite"});
  }

  TempDir dir_;
  FakeEdgeTpu* fake_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EdgeTpuEngine, TheAcceleratorRunsItsOpAndTheCpuTheRest) {
  const auto model = LoadCompiled();
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(fake_->created, 1);
  EXPECT_EQ(fake_->runs, 1) << "loading warms up";
  const auto result = (*model)->Run(FilledInputs((*model)->signature(), 5).request());
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(fake_->runs, 2);
  EXPECT_GT(result->attained_service, Duration{});
  std::vector<float> mask(result->outputs[0].data.size() / sizeof(float));
  std::memcpy(mask.data(), result->outputs[0].data.data(), result->outputs[0].data.size());
  const float sigmoid_of_answer = 1 / (1 + std::exp(-0.25F));
  EXPECT_THAT(mask, testing::Each(testing::FloatNear(sigmoid_of_answer, 1e-3F))) << "what follows the op is a sigmoid";
}

TEST_F(EdgeTpuEngine, TheDelegateGoesWithItsModel) {
  {
    const auto model = LoadCompiled();
    ASSERT_TRUE(model.ok());
    EXPECT_EQ(fake_->destroyed, 0);
  }
  EXPECT_EQ(fake_->created, 1);
  EXPECT_EQ(fake_->destroyed, 1);
}

TEST_F(EdgeTpuEngine, AModelThatWasNotCompiledForItIsRefused) {
  const Status status = engine_->Load({ModelId("face:1"), SampleModel("face_landmark")}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("edgetpu_compiler"));
  EXPECT_EQ(fake_->created, 0);
}

TEST_F(EdgeTpuEngine, AnAcceleratorThatCannotBeOpenedIsUnavailableWithThePlugInsReason) {
  fake_->refuses = true;
  const Status status = LoadCompiled().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("No EdgeTPU device is attached"));
  fake_->refuses = false;
  EXPECT_TRUE(LoadCompiled().ok()) << "it works once the accelerator is there";
}

TEST_F(EdgeTpuEngine, AFailedLoadGivesTheDelegateBack) {
  std::ofstream(dir_.path() / "cut", std::ios::binary) << CompiledModel().substr(0, 200'000);
  EXPECT_FALSE(engine_->Load({ModelId("cut:1"), dir_.path() / "cut"}).ok());
  EXPECT_EQ(fake_->created, fake_->destroyed);
}

TEST(MakeEdgeTpuEngine, WithoutTheLibrarySaysHowToInstallIt) {
  const auto why_not = [](const std::filesystem::path& library) {
    const Status status = MakeEdgeTpuEngine(EnginePrefix(), library).status();
    EXPECT_EQ(status.code(), StatusCode::kUnsupported) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("libedgetpu1-std"));
    return status.message();
  };
  EXPECT_THAT(why_not("libavocet-no-such-library.so.1"), HasSubstr("on this system"));
  EXPECT_THAT(why_not("/no/such/library.so"), HasSubstr("no library /no/such/library.so"));
  EXPECT_THAT(why_not(AVOCET_NOT_AN_ENGINE), HasSubstr("tflite_plugin_create_delegate"));
}

TEST(MakeEdgeTpuEngine, ServesOneRequestAtATime) {
  const Status status = MakeEngine({.kind = EngineKind::kTflite,
                                    .device_kind = DeviceKind::kEdgeTpu,
                                    .discipline = Discipline::kTimeShared,
                                    .prefix = EnginePrefix(),
                                    .edgetpu_library = AVOCET_FAKE_EDGETPU})
                            .status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("fifo"));
}

} // namespace
} // namespace avocet

#include "node_agent/engines/tflite_engine.h"

#include <cstring>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node_agent/engines/engine_contract.h"
#include "tests/support/temp_dir.h"

// These tests need the library and the sample models: deploy/install-engines. They fail without.
namespace avocet {
namespace {

std::filesystem::path ModelFile(const std::string& name) {
  return EnginePrefix() / "share" / "avocet" / "models" / (name + ".tflite");
}

EngineOptions Options(Discipline discipline) {
  return {EngineKind::kTflite, DeviceKind::kCpu, discipline, EnginePrefix()};
}

EngineCase Case(const std::string& model, ModelSignature signature, const std::string& other, Discipline discipline) {
  return {model + "_" + std::string(ToString(discipline)),
          Options(discipline),
          ModelFile(model),
          std::move(signature),
          ModelFile(other),
          {}};
}

INSTANTIATE_TEST_SUITE_P(Tflite, EngineContract,
                         testing::Values(Case("face_detection_short_range",
                                              {{{"input", DataType::kFp32, {1, 128, 128, 3}}},
                                               {{"regressors", DataType::kFp32, {1, 896, 16}},
                                                {"classificators", DataType::kFp32, {1, 896, 1}}}},
                                              "face_landmark", Discipline::kFifo),
                                         Case("face_landmark",
                                              {{{"input_1", DataType::kFp32, {1, 192, 192, 3}}},
                                               {{"conv2d_21", DataType::kFp32, {1, 1, 1, 1404}},
                                                {"conv2d_31", DataType::kFp32, {1, 1, 1, 1}}}},
                                              "hand_landmark_lite", Discipline::kTimeShared),
                                         Case("hand_landmark_lite",
                                              {{{"input_1", DataType::kFp32, {1, 224, 224, 3}}},
                                               {{"Identity", DataType::kFp32, {1, 63}},
                                                {"Identity_1", DataType::kFp32, {1, 1}},
                                                {"Identity_2", DataType::kFp32, {1, 1}},
                                                {"Identity_3", DataType::kFp32, {1, 63}}}},
                                              "face_detection_short_range", Discipline::kFifo)),
                         [](const auto& info) { return info.param.name; });

TEST(TfliteEngine, AMissingLibraryIsNamedWithTheRemedy) {
  const TempDir empty;
  const Status status = MakeEngine({EngineKind::kTflite, DeviceKind::kCpu, Discipline::kFifo, empty.path()}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), testing::HasSubstr((empty.path() / "lib" / "libtensorflowlite_c.so").string()));
  EXPECT_THAT(status.message(), testing::HasSubstr("deploy/install-engines"));
}

TEST(TfliteEngine, AFileThatIsNoLibraryIsUnsupported) {
  const TempDir dir;
  std::filesystem::create_directories(dir.path() / "lib");
  std::ofstream(dir.path() / "lib" / "libtensorflowlite_c.so") << "not a library";
  const Status status = MakeTfliteEngine(dir.path(), Discipline::kFifo).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), testing::HasSubstr("cannot load"));
}

TEST(TfliteEngine, ALibraryWithoutTheFunctionsIsUnsupported) {
  const TempDir dir;
  std::filesystem::create_directories(dir.path() / "lib");
  std::filesystem::copy_file(AVOCET_NOT_AN_ENGINE, dir.path() / "lib" / "libtensorflowlite_c.so");
  const Status status = MakeTfliteEngine(dir.path(), Discipline::kFifo).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported) << status.ToString();
  EXPECT_THAT(status.message(), testing::HasSubstr("has no function TfLite"));
}

class TfliteEngineTest : public testing::Test {
protected:
  void SetUp() override {
    auto engine = MakeTfliteEngine(EnginePrefix(), Discipline::kFifo);
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
  }
  std::unique_ptr<Engine> engine_;
};

TEST_F(TfliteEngineTest, AnUnknownOpIsRefusedWithTheLibrarysReason) {
  // The custom op's name occurs once in the file; renamed it is an op that nobody knows.
  std::ifstream in(ModelFile("selfie_segmentation"), std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  const size_t at = bytes.find("Convolution2DTransposeBias");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 11, "Xonvolution");
  const TempDir dir;
  std::ofstream(dir.path() / "m.tflite", std::ios::binary) << bytes;
  const size_t files = OpenFiles();
  const Status status = engine_->Load({ModelId("m:1"), dir.path() / "m.tflite"}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), testing::HasSubstr("model 'm:1'"));
  EXPECT_THAT(status.message(), testing::HasSubstr("Xonvolution2DTransposeBias"));
  EXPECT_EQ(OpenFiles(), files);
}

TEST_F(TfliteEngineTest, TheSegmentationModelsCustomOpRuns) {
  const auto model = engine_->Load({ModelId("selfie:1"), ModelFile("selfie_segmentation")});
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  const auto result = (*model)->Run(FilledInputs((*model)->signature(), 5).request());
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  std::vector<float> mask(result->outputs[0].data.size() / sizeof(float));
  std::memcpy(mask.data(), result->outputs[0].data.data(), result->outputs[0].data.size());
  EXPECT_THAT(mask, testing::Each(testing::AllOf(testing::Ge(0.0f), testing::Le(1.0f)))) << "a mask of probabilities";
  EXPECT_GT(std::set<float>(mask.begin(), mask.end()).size(), 100u) << "that depends on the picture";
}

TEST_F(TfliteEngineTest, AnotherPictureGivesAnotherAnswer) {
  const auto model = engine_->Load({ModelId("face:1"), ModelFile("face_detection_short_range")});
  ASSERT_TRUE(model.ok());
  const auto one = (*model)->Run(FilledInputs((*model)->signature(), 1).request());
  const auto two = (*model)->Run(FilledInputs((*model)->signature(), 2).request());
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->outputs[0].data, two->outputs[0].data);
}

TEST_F(TfliteEngineTest, CannotCancel) {
  EXPECT_FALSE(engine_->can_cancel());
}

} // namespace
} // namespace avocet

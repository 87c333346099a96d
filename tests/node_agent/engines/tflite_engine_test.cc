#include "node_agent/engines/tflite_engine.h"

#include <cstring>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node_agent/engines/engine_contract.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tflite_writer.h"

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

class SmallModelTest : public TfliteEngineTest {
protected:
  Result<std::unique_ptr<LoadedModel>> Load(const TfliteGraph& graph, std::vector<GivenInput> inputs = {}) {
    const auto file = dir_.path() / "m.tflite";
    std::ofstream(file, std::ios::binary) << Encode(graph);
    return engine_->Load({ModelId("m:1"), file, std::move(inputs)});
  }
  TempDir dir_;
};

std::vector<float> Answer(LoadedModel& model, const std::vector<Tensor>& inputs) {
  RunRequest request;
  std::vector<TensorView> views;
  for (const Tensor& input : inputs)
    views.push_back({input.spec, input.data});
  request.inputs = views;
  const auto result = model.Run(request);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? Floats(result->outputs.at(0)) : std::vector<float>();
}

TEST_F(SmallModelTest, AnOpenExtentTakesOneShapeAfterTheOther) {
  const auto model = Load({TfliteOp::kAdd, {1, 2}, {-1, 2}});
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ((*model)->signature().inputs[0].shape, (std::vector<int64_t>{-1, 2}));
  EXPECT_TRUE((*model)->first_run().status.ok());
  EXPECT_EQ((*model)->note(), "") << "XNNPACK takes it";

  const auto add = [&](int64_t rows, std::vector<float> x, std::vector<float> z) {
    return Answer(**model, {FloatTensor("z", {rows, 2}, z), FloatTensor("x", {rows, 2}, x)});
  };
  EXPECT_THAT(add(2, {1, 2, 3, 4}, {10, 20, 30, 40}), testing::ElementsAre(11, 22, 33, 44));
  EXPECT_THAT(add(1, {1, 2}, {5, 6}), testing::ElementsAre(6, 8));
  EXPECT_THAT(add(3, {1, 1, 1, 1, 1, 1}, {1, 2, 3, 4, 5, 6}), testing::ElementsAre(2, 3, 4, 5, 6, 7));
}

TEST_F(SmallModelTest, AFixedExtentTakesNoOther) {
  const auto model = Load({TfliteOp::kAdd, {1, 2}, {}});
  ASSERT_TRUE(model.ok());
  const Tensor two = FloatTensor("x", {2, 2}, {1, 2, 3, 4});
  Tensor other = two;
  other.spec.name = "z";
  const std::vector<TensorView> views{{two.spec, two.data}, {other.spec, other.data}};
  RunRequest request;
  request.inputs = views;
  EXPECT_EQ((*model)->Run(request).status().code(), StatusCode::kInvalidArgument);
}

// Its output has a size that only a run tells, which XNNPACK takes no graph with.
TEST_F(SmallModelTest, WhatXnnpackRefusesRunsWithoutIt) {
  const auto model = Load({TfliteOp::kReshape, {1}, {}});
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_TRUE((*model)->first_run().status.ok()) << (*model)->first_run().status.ToString();
  EXPECT_THAT((*model)->note(), testing::HasSubstr("runs without XNNPACK"));
  const int32_t one = 1;
  const auto bytes = std::as_bytes(std::span(&one, 1));
  const Tensor shape{{"shape", DataType::kInt32, {1}}, {bytes.begin(), bytes.end()}};
  EXPECT_THAT(Answer(**model, {FloatTensor("x", {1}, {7}), shape}), testing::ElementsAre(7));
}

TEST_F(SmallModelTest, AModelThatDoesNotRunOnWhatIsInventedIsLoaded) {
  const auto model = Load({TfliteOp::kReshape, {4}, {}}); // to a shape of [1], or of [0]
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_THAT((*model)->first_run().status.message(), testing::HasSubstr("does not run on invented inputs"));
}

TEST_F(SmallModelTest, RunsOnWhatIsGiven) {
  const int32_t four = 4;
  const auto bytes = std::as_bytes(std::span(&four, 1));
  const auto model = Load({TfliteOp::kReshape, {4}, {}},
                          {{{.name = "shape", .fill = SampleFill::kFile}, {bytes.begin(), bytes.end()}}});
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_TRUE((*model)->first_run().status.ok()) << (*model)->first_run().status.ToString();
}

TEST_F(TfliteEngineTest, CannotCancel) {
  EXPECT_FALSE(engine_->can_cancel());
}

} // namespace
} // namespace avocet

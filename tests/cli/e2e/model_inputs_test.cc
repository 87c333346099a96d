#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dev_cluster.h"

// Models that run on a client's inputs only, and files that are no models.
namespace avocet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

std::string TestModel(const std::string& name) {
  return (std::filesystem::path(AVOCET_SOURCE_DIR) / "tests/data/models" / name).string();
}

class ModelInputs : public testing::Test {
protected:
  void SetUp() override {
    (void)cluster_.Write("dev.toml", "name = \"box\"\n[[device]]\nname = \"cpu0\"\nkind = \"cpu\"\nengine = \"onnx\"\n"
                                     "memory_mb = 512\ncores = [" +
                                         std::to_string(LastCore()) + "]\n");
    cluster_.Start();
    ASSERT_TRUE(cluster_.WaitUntilServing());
  }
  CommandResult Apply(const std::string& model) {
    return cluster_.Run({"app", "apply", cluster_.Write({.name = "a", .model = model, .kind = "cpu"})});
  }
  DevCluster cluster_;
};

TEST_F(ModelInputs, TheEnginesWordsAndAWayOutReachTheOperator) {
  (void)cluster_.Json({"model", "import", TestModel("conv_dyn.onnx"), "--name", "conv"});
  const auto words = AllOf(HasSubstr("does not run on invented inputs"), HasSubstr("ONNX Runtime"), HasSubstr("Conv"),
                           HasSubstr("--input"), HasSubstr("--shape"));
  const auto profile = cluster_.Run({"model", "profile", "conv"});
  EXPECT_EQ(profile.exit_code, 1);
  EXPECT_THAT(profile.err, words);
  const auto apply = Apply("conv");
  EXPECT_EQ(apply.exit_code, 2);
  EXPECT_THAT(apply.out, words);
  const auto plan = cluster_.Run({"app", "plan", cluster_.Write({.name = "a", .model = "conv", .kind = "cpu"})});
  EXPECT_EQ(plan.exit_code, 2);
  EXPECT_THAT(plan.out, words);

  const json profiles = cluster_.Json({"model", "profile", "conv", "--shape", "x=1x3x32x32"});
  ASSERT_TRUE(profiles.is_object());
  EXPECT_GT(profiles["profiles"].at(0)["service_ms"], 0);
  const auto again = Apply("conv");
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  const json model = cluster_.Json({"model", "list"})["models"].at(0);
  EXPECT_EQ(model["samples"], json::parse(R"([{"name":"x","fill":"ones","shape":[1,3,32,32]}])"));
}

TEST_F(ModelInputs, AreKeptFromTheImport) {
  const std::string file = cluster_.Write("x.raw", std::string(3 * 16 * 16 * 4, '\0')).string();
  const json model = cluster_.Json({"model", "import", TestModel("conv_dyn.onnx"), "--name", "conv", "--input",
                                    "x=" + file, "--shape", "x=1x3x16x16"});
  ASSERT_TRUE(model.is_object());
  EXPECT_EQ(model["samples"][0]["fill"], "file");
  const auto apply = Apply("conv");
  EXPECT_EQ(apply.exit_code, 0) << apply.out << apply.err;
}

TEST_F(ModelInputs, OfTextsNeedNoHelp) {
  (void)cluster_.Json({"model", "import", TestModel("simple_string.onnx"), "--name", "texts"});
  EXPECT_EQ(Apply("texts").exit_code, 0);
}

TEST_F(ModelInputs, ThatTheModelDoesNotTakeAreNamed) {
  (void)cluster_.Json({"model", "import", TestModel("conv_dyn.onnx"), "--name", "conv"});
  const auto wrong = cluster_.Run({"model", "profile", "conv", "--input", "y=ones"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("the model has no input 'y'; it has x FP32[-1,3,-1,-1]"));
  const auto shape = cluster_.Run({"model", "profile", "conv", "--shape", "x=1x4x16x16"});
  EXPECT_EQ(shape.exit_code, 1);
  EXPECT_THAT(shape.err, HasSubstr("FP32[-1,3,-1,-1] in the model; the shape FP32[1,4,16,16] does not fit"));
}

TEST_F(ModelInputs, FilesThatAreNoModelsUseUpNothing) {
  std::string cut;
  {
    std::ifstream in(SampleModel("face_landmark.tflite"), std::ios::binary);
    cut.assign(std::istreambuf_iterator<char>(in), {});
  }
  cut.resize(cut.size() / 2);
  for (const auto& [name, bytes, words] :
       {std::tuple{"readme.tflite", std::string("# A README"), "not a TensorFlow Lite model"},
        std::tuple{"cut.tflite", cut, "damaged or truncated"},
        std::tuple{"readme.onnx", std::string("# A README"), "not an ONNX model"},
        std::tuple{"random.onnx", std::string(500, '\xa7'), "not an ONNX model"}}) {
    const auto import = cluster_.Run({"model", "import", cluster_.Write(name, bytes), "--name", "m"});
    EXPECT_EQ(import.exit_code, 1) << name;
    EXPECT_THAT(import.err, AllOf(HasSubstr(name), HasSubstr(words)));
  }
  for (const auto& [name, words] :
       {std::pair{"extdata2.onnx", "extdata2.bin"}, std::pair{"manyin.onnx", "at most 256"}}) {
    const auto import = cluster_.Run({"model", "import", TestModel(name), "--name", "m"});
    EXPECT_EQ(import.exit_code, 1) << name;
    EXPECT_THAT(import.err, HasSubstr(words));
  }
  EXPECT_TRUE(cluster_.Json({"model", "list"})["models"].empty());
  EXPECT_TRUE(std::filesystem::is_empty(cluster_.data_dir() / "controller" / "models"));
  EXPECT_EQ(cluster_.Run({"model", "import", TestModel("simple.onnx"), "--name", "m"}).exit_code, 0);
  EXPECT_THAT(cluster_.Run({"model", "list"}).out, HasSubstr("193 B"));
}

} // namespace
} // namespace avocet

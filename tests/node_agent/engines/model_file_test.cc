#include "node_agent/engines/model_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node_agent/engines/engine_contract.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::filesystem::path TestModel(const std::string& name) {
  return std::filesystem::path(AVOCET_SOURCE_DIR) / "tests/data/models" / name;
}

class ModelFileTest : public testing::Test {
protected:
  std::filesystem::path Write(const std::string& name, const std::string& bytes) {
    std::ofstream(dir_.path() / name, std::ios::binary) << bytes;
    return dir_.path() / name;
  }
  ModelFile Onnx(std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs) {
    const OnnxGraph graph{.inputs = std::move(inputs), .outputs = std::move(outputs), .constants = {}, .nodes = {}};
    return {ModelFormat::kOnnx, Write("m.onnx", Encode(graph))};
  }
  ModelFile Emulated(const std::string& shape) {
    return {ModelFormat::kEmulated, Write("m.toml", "[[input]]\nname = \"x\"\ndatatype = \"FP32\"\nshape = " + shape +
                                                        "\n[[output]]\nname = \"y\"\ndatatype = \"FP32\"\nshape = [1]\n"
                                                        "[device.gpu]\nservice_ms = 1\nmemory_mb = 1\n")};
  }

  TempDir dir_;
};

TEST_F(ModelFileTest, MoreInputsThanARequestCarriesAreRefusedWithTheBound) {
  const Status status = InspectModelFile({ModelFormat::kOnnx, TestModel("manyin.onnx")}).status();
  EXPECT_EQ(status, Unsupported("the model has 300 inputs; a request carries at most 256"));
}

TEST_F(ModelFileTest, FilesOfOneNetworkMayLeaveExtentsOpen) {
  EXPECT_TRUE(
      InspectModelFiles({Onnx({{"x", DataType::kFp32, {-1, 3}}}, {{"y", DataType::kFp32, {-1}}}), Emulated("[4, 3]")})
          .ok());
}

TEST_F(ModelFileTest, FilesOfTwoNetworksAreRefusedWithBoth) {
  const Status status =
      InspectModelFiles({Onnx({{"x", DataType::kFp32, {1, 3}}}, {{"y", DataType::kFp32, {1}}}), Emulated("[4, 3]")});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("two different networks"), HasSubstr("m.onnx takes x FP32[1,3]"),
                                      HasSubstr("m.toml takes x FP32[4,3]")));
}

TEST_F(ModelFileTest, ADifferentTypeOrNameIsAnotherNetwork) {
  const auto agree = [&](const TensorSpec& input) {
    return InspectModelFiles({Onnx({input}, {{"y", DataType::kFp32, {1}}}), Emulated("[3]")}).ok();
  };
  EXPECT_TRUE(agree({"x", DataType::kFp32, {3}}));
  EXPECT_FALSE(agree({"x", DataType::kFp16, {3}}));
  EXPECT_FALSE(agree({"z", DataType::kFp32, {3}}));
}

TEST_F(ModelFileTest, AFileIsNamedInItsRefusal) {
  EXPECT_THAT(InspectModelFiles({{ModelFormat::kTflite, Write("notes.tflite", "# A README")}}).message(),
              HasSubstr("notes.tflite: not a TensorFlow Lite model"));
  EXPECT_EQ(InspectModelFile({ModelFormat::kOnnx, dir_.path() / "none.onnx"}).status().code(), StatusCode::kNotFound);
}

} // namespace
} // namespace avocet

#include "node_agent/engines/emulated_model.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

constexpr std::string_view kGood = R"(description = "an example"
[[input]]
name = "image"
datatype = "FP32"
shape = [1, 224, 224, 3]
[[output]]
name = "scores"
datatype = "FP32"
shape = [1, 1000]
[device.edgetpu]
service_ms = 6.99
scv = 0.25
switch_ms = 10.43
memory_mb = 100
source = "measured"
[device.gpu]
service_ms = 13
memory_mb = 1130
)";

std::string Replaced(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  const auto model = ParseEmulatedModel(text, "m.toml");
  EXPECT_EQ(model.status().code(), StatusCode::kInvalidArgument);
  return model.status().message();
}

TEST(EmulatedModel, ReadsShapesAndCosts) {
  const auto model = ParseEmulatedModel(kGood, "m.toml");
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->signature.inputs, (std::vector<TensorSpec>{{"image", DataType::kFp32, {1, 224, 224, 3}}}));
  EXPECT_EQ(model->signature.outputs, (std::vector<TensorSpec>{{"scores", DataType::kFp32, {1, 1000}}}));
  const std::map<DeviceKind, EmulatedCost> costs{
      {DeviceKind::kEdgeTpu, {FromMillis(6.99), 0.25, FromMillis(10.43), 100 * kMiB}},
      {DeviceKind::kGpu, {FromMillis(13), 0, Duration{}, 1130 * kMiB}}};
  EXPECT_EQ(model->costs, costs);
}

TEST(EmulatedModel, AnUnknownKeyIsAnErrorWithLineAndNearestName) {
  EXPECT_EQ(ErrorOf(Replaced("scv =", "svc =")),
            "m.toml:12: unknown key 'svc' in [device.edgetpu]; did you mean 'scv'?");
  EXPECT_EQ(ErrorOf(Replaced("service_ms = 6", "servce_ms = 6")),
            "m.toml:11: unknown key 'servce_ms' in [device.edgetpu]; did you mean 'service_ms'?");
  EXPECT_EQ(ErrorOf(Replaced("datatype", "datatyp")),
            "m.toml:4: unknown key 'datatyp' in [[input]]; did you mean 'datatype'?");
  EXPECT_EQ(ErrorOf(Replaced("[device.gpu]", "[device.gpus]")),
            "m.toml:16: unknown key 'gpus' in [device]; did you mean 'gpu'?");
  EXPECT_EQ(ErrorOf(Replaced("description", "descripton")),
            "m.toml:1: unknown key 'descripton' in the file; did you mean 'description'?");
}

TEST(EmulatedModel, AValueOutOfRangeNamesTheRange) {
  EXPECT_EQ(ErrorOf(Replaced("6.99", "0")), "m.toml:11: [device.edgetpu] service_ms = 0 is out of range (0, 600000]");
  EXPECT_EQ(ErrorOf(Replaced("6.99", "600000.5")),
            "m.toml:11: [device.edgetpu] service_ms = 600000.5 is out of range (0, 600000]");
  EXPECT_EQ(ErrorOf(Replaced("6.99", "nan")),
            "m.toml:11: [device.edgetpu] service_ms = nan is out of range (0, 600000]");
  EXPECT_EQ(ErrorOf(Replaced("0.25", "-0.5")), "m.toml:12: [device.edgetpu] scv = -0.5 is out of range [0, 25]");
  EXPECT_EQ(ErrorOf(Replaced("10.43", "-1")), "m.toml:13: [device.edgetpu] switch_ms = -1 is out of range [0, 600000]");
  EXPECT_EQ(ErrorOf(Replaced("100\n", "inf\n")),
            "m.toml:14: [device.edgetpu] memory_mb = inf is out of range (0, 1048576]");
  EXPECT_TRUE(ParseEmulatedModel(Replaced("6.99", "600000"), "m.toml").ok());
}

TEST(EmulatedModel, AWrongTypeIsAnError) {
  EXPECT_EQ(ErrorOf(Replaced("6.99", "\"7\"")), "m.toml:11: [device.edgetpu] service_ms must be a number");
  EXPECT_EQ(ErrorOf(Replaced("\"image\"", "7")), "m.toml:3: [[input]] name must be a string");
  EXPECT_EQ(ErrorOf(Replaced("\"measured\"", "7")), "m.toml:15: [device.edgetpu] source must be a string");
  EXPECT_EQ(ErrorOf(Replaced("[1, 224, 224, 3]", "3")),
            "m.toml:5: [[input]] shape must be an array of at most 32 integers");
  EXPECT_EQ(ErrorOf(Replaced("[[input]]", "[input]")), "m.toml:2: [[input]] must be 1 to 16 tables");
}

TEST(EmulatedModel, AMissingPartIsNamed) {
  EXPECT_EQ(ErrorOf(Replaced("memory_mb = 1130\n", "")), "m.toml:16: [device.gpu] memory_mb is missing");
  EXPECT_THAT(ErrorOf("description = \"x\""), testing::EndsWith("[[input]] is missing: at least one is needed"));
  EXPECT_THAT(ErrorOf(std::string(kGood.substr(0, kGood.find("[device")))),
              testing::EndsWith("[device.<kind>] is missing: at least one is needed"));
}

TEST(EmulatedModel, HasEveryDatatypeOfFixedSize) {
  for (const std::string type : {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
                                 "FP16", "BF16", "FP32", "FP64"}) {
    const auto model = ParseEmulatedModel(Replaced("\"FP32\"", '"' + type + '"'), "m.toml");
    ASSERT_TRUE(model.ok()) << model.status().ToString();
    EXPECT_EQ(ToString(model->signature.inputs[0].type), type);
  }
  EXPECT_FALSE(ParseEmulatedModel(Replaced("\"FP32\"", "\"BYTES\""), "m.toml").ok());
}

TEST(EmulatedModel, ShapesAreConcreteAndBounded) {
  EXPECT_EQ(ErrorOf(Replaced("[1, 224, 224, 3]", "[-1, 3]")), "m.toml:5: [[input]] shape must hold integers >= 1");
  EXPECT_EQ(ErrorOf(Replaced("[1, 224, 224, 3]", "[1.0, 3]")), "m.toml:5: [[input]] shape must hold integers >= 1");
  EXPECT_TRUE(ParseEmulatedModel(Replaced("[1, 224, 224, 3]", "[8388608]"), "m.toml").ok());
  EXPECT_EQ(ErrorOf(Replaced("[1, 224, 224, 3]", "[8388609]")),
            "m.toml:5: [[input]] shape FP32[8388609] exceeds 33554432 bytes");
  EXPECT_EQ(ErrorOf(Replaced("\"FP32\"", "\"FP3\"")),
            "m.toml:4: [[input]] datatype 'FP3' is not supported; did you mean 'FP32'?");
}

TEST(EmulatedModel, ANameIsUsedOnce) {
  EXPECT_EQ(
      ErrorOf(Replaced("[[output]]", "[[input]]\nname = \"image\"\ndatatype = \"FP32\"\nshape = [1]\n[[output]]")),
      "m.toml:6: [[input]] name 'image' is used twice");
}

TEST(EmulatedModel, TextThatIsNotTomlNamesTheLine) {
  EXPECT_THAT(ErrorOf(Replaced("shape = [1, 224", "shape = [1; 224")), testing::StartsWith("m.toml:5: "));
  EXPECT_THAT(ErrorOf(std::string("\0\xff", 2)), testing::StartsWith("m.toml:1: "));
}

TEST(EmulatedModel, TheFileSizeIsBounded) {
  std::string text(kGood);
  text += '#' + std::string(kMaxEmulatedModelFileBytes - text.size() - 1, 'x');
  EXPECT_TRUE(ParseEmulatedModel(text, "m.toml").ok());
  EXPECT_EQ(ErrorOf(text + "x"), "m.toml: an emulated model has at most 65536 bytes");
}

TEST(EmulatedModel, TheShippedModelsAreValid) {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(AVOCET_SOURCE_DIR "/deploy/models")) {
    std::ifstream in(file.path());
    const std::string text(std::istreambuf_iterator<char>(in), {});
    const auto model = ParseEmulatedModel(text, file.path().filename().string());
    EXPECT_TRUE(model.ok()) << model.status().ToString();
    ++count;
  }
  EXPECT_GE(count, 10);
}

} // namespace
} // namespace avocet

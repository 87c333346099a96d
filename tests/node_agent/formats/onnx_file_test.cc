#include "node_agent/formats/onnx_file.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/files.h"
#include "tests/support/onnx_writer.h"

namespace avocet {
namespace {

using testing::HasSubstr;

constexpr size_t kMiB = 1 << 20;

std::string TestModel(const std::string& name) {
  return ReadWholeFile(std::filesystem::path(AVOCET_SOURCE_DIR) / "tests/data/models" / name, kMiB).value();
}

// Messages by hand: fields by their numbers in onnx.proto.
std::string Field(int number, const std::string& bytes) {
  const int key = number << 3 | 2;
  std::string field;
  if (key >= 128) field += static_cast<char>((key & 127) | 128);
  field += static_cast<char>(key >= 128 ? key >> 7 : key);
  EXPECT_LT(bytes.size(), 128U);
  return field + static_cast<char>(bytes.size()) + bytes;
}

std::string Number(int number, char value) {
  return {static_cast<char>(number << 3), value};
}

const std::string kOpset = Field(8, Number(2, 13));
const std::string kExternal = Field(8, "w") + Field(13, Field(1, "location") + Field(2, "secret")) + Number(14, 1);

Status Refusal(const std::string& rest_of_model) {
  return InspectOnnx(kOpset + rest_of_model).status();
}

TEST(OnnxFile, SaysWhatItTakesAndGives) {
  const auto signature = InspectOnnx(TestModel("conv_dyn.onnx"));
  ASSERT_TRUE(signature.ok()) << signature.status().ToString();
  EXPECT_EQ(signature->inputs, (std::vector<TensorSpec>{{"x", DataType::kFp32, {-1, 3, -1, -1}}}));
  ASSERT_EQ(signature->outputs.size(), 1U);
  EXPECT_EQ(signature->outputs[0].name, "y");
}

TEST(OnnxFile, EveryElementTypeHasItsNumber) {
  for (const auto type : {DataType::kBool, DataType::kUint8, DataType::kInt64, DataType::kFp16, DataType::kBf16,
                          DataType::kFp64, DataType::kBytes})
    EXPECT_EQ(DataTypeOfOnnx(OnnxNumberOf(type)), type);
  EXPECT_EQ(DataTypeOfOnnx(14), std::nullopt) << "complex numbers";
}

TEST(OnnxFile, AConstantIsNoInput) {
  const OnnxGraph graph{.inputs = {{"x", DataType::kFp32, {1}}, {"w", DataType::kFp32, {1}}},
                        .outputs = {{"y", DataType::kFp32, {1}}},
                        .constants = {FloatTensor("w", {1}, {1})},
                        .nodes = {{"Add", {"x", "w"}, {"y"}}}};
  EXPECT_EQ(InspectOnnx(Encode(graph))->inputs, (std::vector<TensorSpec>{{"x", DataType::kFp32, {1}}}));
}

TEST(OnnxFile, ExternalDataIsRefusedWithWhatToDo) {
  const Status status = InspectOnnx(TestModel("extdata2.onnx")).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("'extdata2.bin'"));
  EXPECT_THAT(status.message(), HasSubstr("save_as_external_data=False"));
}

// Wherever a tensor can stand: a location is a file of the folder that holds everybody's models.
TEST(OnnxFile, ExternalDataIsFoundWhereverATensorCanStand) {
  const std::string tensor_attribute = Field(5, kExternal);
  const auto node = [](const std::string& attribute) { return Field(5, attribute); };
  const auto in_graph = [](const std::string& graph_field) { return Field(7, graph_field); };
  const std::string nested = Field(6, Field(1, node(tensor_attribute)));
  for (const auto& model :
       {in_graph(Field(5, kExternal)),                  // initializer
        in_graph(Field(1, node(tensor_attribute))),     // attribute's tensor
        in_graph(Field(1, node(Field(10, kExternal)))), // one of its tensors
        in_graph(Field(1, node(nested))),               // of a graph in it
        in_graph(Field(15, Field(1, kExternal))),       // sparse: values
        in_graph(Field(15, Field(2, kExternal))),       // sparse: indices
        in_graph(Field(1, node(Field(22, Field(1, kExternal))))), Field(20, Field(1, Field(5, kExternal))), // training
        Field(25, Field(7, node(tensor_attribute))),                                                        // function
        Field(25, Field(11, tensor_attribute))}) { // its attributes' defaults
    EXPECT_THAT(Refusal(model).message(), HasSubstr("'w' has its data in another file, 'secret'")) << model;
  }
}

TEST(OnnxFile, ALocationAloneIsEnoughToBeRefused) {
  const std::string without_kind = Field(13, Field(1, "location") + Field(2, "secret"));
  EXPECT_THAT(Refusal(Field(7, Field(5, without_kind))).message(), HasSubstr("another file"));
  EXPECT_THAT(Refusal(Field(7, Field(5, Number(14, 1)))).message(), HasSubstr("another file"));
}

TEST(OnnxFile, ACompiledModelIsRefused) {
  EXPECT_THAT(Refusal(Field(7, Field(1, Field(4, "EPContext")))).message(), HasSubstr("EPContext"));
}

TEST(OnnxFile, WhatIsNoModelIsRefused) {
  const std::string model = TestModel("conv_dyn.onnx");
  for (const std::string& bytes :
       {std::string(), std::string("# A README\n\nwith some text"), std::string(64, '\xff'), model.substr(0, 100),
        model.substr(0, model.size() - 1), kOpset, kOpset + Field(7, "") + Field(7, ""), std::string("\x00\x01", 2)}) {
    EXPECT_EQ(InspectOnnx(bytes).status().code(), StatusCode::kInvalidArgument) << bytes.size();
  }
}

TEST(OnnxFile, TwoGraphsInOneFileAreRefused) {
  const std::string graph = Field(7, Field(2, "name"));
  EXPECT_THAT(Refusal(graph + graph).message(), HasSubstr("two graphs"));
}

TEST(OnnxFile, GraphsCannotBeNestedWithoutEnd) {
  std::string attribute = Field(5, Field(8, "t"));
  // Built from the inside; lengths of more than a byte are not needed until 30 levels.
  for (int level = 0; level < 15; ++level)
    attribute = Field(6, Field(1, Field(5, attribute)));
  EXPECT_TRUE(Refusal(Field(7, Field(1, Field(5, attribute)))).ok());
}

TEST(OnnxFile, ASequenceIsNotServed) {
  const std::string sequence = Field(1, "s") + Field(2, Field(4, ""));
  const Status status = Refusal(Field(7, Field(12, sequence)));
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("'s' is no tensor"));
}

} // namespace
} // namespace avocet

#include "cli/config/onnx_shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/onnx_writer.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

OnnxGraph Graph(std::vector<int64_t> x, std::vector<int64_t> y) {
  return {.inputs = {{"x", DataType::kFp32, std::move(x)}, {"y", DataType::kFp32, std::move(y)}},
          .outputs = {{"sum", DataType::kFp32, {-1, -1}}},
          .constants = {FloatTensor("w", {300}, std::vector<float>(300, 1))},
          .nodes = {{"Add", {"x", "y"}, {"sum"}}}};
}

TEST(SetInputShapes, ChangesOpenExtentsAndNothingElse) {
  const auto changed = SetInputShapes(Encode(Graph({-1, 3}, {-1, -1})), {{"x", {200, 3}}});
  ASSERT_TRUE(changed.ok()) << changed.status().ToString();
  EXPECT_EQ(*changed, Encode(Graph({200, 3}, {-1, -1})));
}

TEST(SetInputShapes, SetsSeveralInputs) {
  EXPECT_EQ(*SetInputShapes(Encode(Graph({-1, 3}, {-1, -1})), {{"x", {2, 3}}, {"y", {4, 5}}}),
            Encode(Graph({2, 3}, {4, 5})));
}

TEST(SetInputShapes, WithoutShapesTheFileStaysAsItIs) {
  const std::string model = Encode(Graph({-1, 3}, {-1, -1}));
  EXPECT_EQ(*SetInputShapes(model, {}), model);
}

TEST(SetInputShapes, RefusesWhatContradictsTheModel) {
  const std::string model = Encode(Graph({-1, 3}, {-1, -1}));
  EXPECT_EQ(SetInputShapes(model, {{"x", {1, 4}}}).status(),
            InvalidArgument("input 'x': is ?x3 in the model; 1x4 does not fit"));
  EXPECT_EQ(SetInputShapes(model, {{"x", {1}}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(SetInputShapes(model, {{"z", {1}}}).status(), InvalidArgument("the model has no input 'z'; it has x, y"));
}

TEST(SetInputShapes, RefusesWhatIsNoModel) {
  const std::string model = Encode(Graph({-1, 3}, {-1, -1}));
  for (const std::string& bytes : {std::string(1000, 'B'), model.substr(0, model.size() / 2), std::string("\x3a\xff")})
    EXPECT_THAT(SetInputShapes(bytes, {{"x", {1, 3}}}).status().message(), HasSubstr("not an ONNX model"));
}

TEST(ParseInputShape, ReadsNameAndExtents) {
  InputShapes shapes;
  ASSERT_TRUE(ParseInputShape("x=1x3x48x192", shapes).ok());
  ASSERT_TRUE(ParseInputShape("a=b=7", shapes).ok()) << "names may have any character";
  EXPECT_THAT(shapes.at("x"), ElementsAre(1, 3, 48, 192));
  EXPECT_THAT(shapes.at("a=b"), ElementsAre(7));
  EXPECT_THAT(ParseInputShape("x=1", shapes).message(), HasSubstr("twice"));
}

TEST(ParseInputShape, RefusesAnythingElse) {
  for (const char* text :
       {"", "x", "x=", "=1", "x=0", "x=-1", "x=1x", "x=x1", "x=1x2y", "x=1 x2", "x=99999999999999999999"}) {
    InputShapes shapes;
    EXPECT_EQ(ParseInputShape(text, shapes).code(), StatusCode::kInvalidArgument) << text;
  }
}

} // namespace
} // namespace avocet

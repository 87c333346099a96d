#include "node_agent/tensors/tensor_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const ModelSignature kSignature{{}, {TensorSpec{"a", DataType::kFp32, {1}}, TensorSpec{"b", DataType::kUint8, {2}}}};

Result<std::vector<size_t>> Select(const std::vector<std::string>& names) {
  std::vector<RequestedOutput> outputs;
  for (const std::string& name : names)
    outputs.push_back({name, 0});
  const auto chosen = SelectOutputs(outputs, kSignature);
  if (!chosen.ok()) return chosen.status();
  std::vector<size_t> indexes;
  for (const ChosenOutput& one : *chosen)
    indexes.push_back(one.index);
  return indexes;
}

TEST(SelectOutputs, KeepsTheOrderAskedForAndMeansAllByNone) {
  EXPECT_THAT(Select({}).value(), IsEmpty());
  EXPECT_THAT(Select({"b"}).value(), ElementsAre(1));
  EXPECT_THAT(Select({"b", "a"}).value(), ElementsAre(1, 0));
  EXPECT_THAT(Select({"b", "a", "b", "a"}).value(), ElementsAre(1, 0)) << "once, as Triton does";
}

TEST(SelectOutputs, RefusesWhatItCannotGive) {
  EXPECT_EQ(Select({"c"}).status(), InvalidArgument("output 'c' is unknown; the model has 'a', 'b'"));
  EXPECT_EQ(Select(std::vector<std::string>(kMaxTensorsPerRequest + 1, "a")).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(SelectOutputs, GivesClassesOfWhatIsCompared) {
  for (const DataType type : {DataType::kUint8, DataType::kInt64, DataType::kFp32, DataType::kFp64}) {
    const std::vector<RequestedOutput> outputs{{"x", 3}};
    const auto chosen = SelectOutputs(outputs, {{}, {TensorSpec{"x", type, {9}}}});
    ASSERT_TRUE(chosen.ok()) << chosen.status().ToString();
    EXPECT_EQ(chosen->at(0).classes, 3u);
  }
  for (const DataType type : {DataType::kBool, DataType::kFp16, DataType::kBf16, DataType::kBytes}) {
    const std::vector<RequestedOutput> classes{{"x", 1}}, tensor{{"x", 0}};
    const ModelSignature signature{{}, {TensorSpec{"x", type, {9}}}};
    EXPECT_TRUE(SelectOutputs(tensor, signature).ok());
    EXPECT_EQ(SelectOutputs(classes, signature).status(),
              InvalidArgument("output 'x' is " + std::string(ToString(type)) +
                              ", which has no classification; ask for whole numbers, FP32 or FP64"));
  }
}

Status CheckBytes(int64_t elements, const std::vector<std::byte>& bytes) {
  return CheckContents({"x", DataType::kBytes, {elements}}, bytes);
}

TEST(CheckContents, CountsByteStringsAndTheirLengths) {
  std::vector<std::byte> bytes;
  EXPECT_TRUE(CheckBytes(0, bytes).ok());
  AppendByteString("hi", bytes);
  AppendByteString("", bytes);
  EXPECT_EQ(bytes.size(), 10u);
  EXPECT_TRUE(CheckBytes(2, bytes).ok());
  EXPECT_EQ(CheckBytes(3, bytes), InvalidArgument("input 'x' has 2 elements, BYTES[3] takes 3"));
  bytes.pop_back();
  EXPECT_EQ(CheckBytes(2, bytes), InvalidArgument("input 'x': element 1 reaches past the end of the contents"));
}

TEST(CheckContents, ComparesSizes) {
  const std::vector<std::byte> eight(8);
  EXPECT_TRUE(CheckContents({"x", DataType::kFp32, {2, 1}}, eight).ok());
  EXPECT_EQ(CheckContents({"x", DataType::kFp32, {3}}, eight),
            InvalidArgument("input 'x' has 8 bytes, FP32[3] takes 12"));
  EXPECT_FALSE(CheckContents({"x", DataType::kFp32, {-2}}, eight).ok());
  EXPECT_FALSE(CheckContents({"x", DataType::kFp32, {INT64_MAX, INT64_MAX}}, eight).ok());
}

TEST(MakeSpec, KnowsDatatypesAndBoundsTheRank) {
  EXPECT_EQ(MakeSpec("x", "FP32", {2, 3}).value(), (TensorSpec{"x", DataType::kFp32, {2, 3}}));
  EXPECT_EQ(MakeSpec("x", "float", {2}).status(), InvalidArgument("input 'x': unknown datatype 'float'"));
  EXPECT_TRUE(MakeSpec("x", "FP32", std::vector<int64_t>(kMaxTensorRank, 1)).ok());
  EXPECT_FALSE(MakeSpec("x", "FP32", std::vector<int64_t>(kMaxTensorRank + 1, 1)).ok());
}

} // namespace
} // namespace avocet

#include "node_agent/inference/classification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <limits>

#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class T> Tensor Of(DataType type, const std::vector<T>& values, std::vector<int64_t> shape = {}) {
  if (shape.empty()) shape = {static_cast<int64_t>(values.size())};
  Tensor tensor{{"o", type, std::move(shape)}, std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

/// The elements of a BYTES tensor, after its form was checked.
std::vector<std::string> TextsOf(const Tensor& tensor) {
  EXPECT_EQ(tensor.spec.type, DataType::kBytes);
  EXPECT_TRUE(CheckContents(tensor.spec, tensor.data).ok()) << Describe(tensor.spec);
  std::vector<std::string> texts;
  for (size_t at = 0; at + kLengthPrefix <= tensor.data.size();) {
    uint32_t length = 0;
    std::memcpy(&length, tensor.data.data() + at, sizeof length);
    texts.emplace_back(reinterpret_cast<const char*>(tensor.data.data()) + at + kLengthPrefix, length);
    at += kLengthPrefix + length;
  }
  return texts;
}

// The example of the extension's documentation.
TEST(Classify, TellsTheLargestFirst) {
  const Tensor classes = Classify(Of<float>(DataType::kFp32, {1, 5, 10, 4}), 2);
  EXPECT_EQ(classes.spec, (TensorSpec{"o", DataType::kBytes, {2}}));
  EXPECT_THAT(TextsOf(classes), ElementsAre("10.000000:2", "5.000000:1"));
}

template <class T> std::vector<std::string> TopTwo(DataType type) {
  using Limits = std::numeric_limits<T>;
  return TextsOf(Classify(Of<T>(type, {Limits::lowest(), 1, Limits::max()}), 2));
}

TEST(Classify, ComparesAndWritesEveryNumberAsItsDatatype) {
  EXPECT_THAT(TopTwo<uint8_t>(DataType::kUint8), ElementsAre("255:2", "1:1"));
  EXPECT_THAT(TopTwo<uint16_t>(DataType::kUint16), ElementsAre("65535:2", "1:1"));
  EXPECT_THAT(TopTwo<uint32_t>(DataType::kUint32), ElementsAre("4294967295:2", "1:1"));
  EXPECT_THAT(TopTwo<uint64_t>(DataType::kUint64), ElementsAre("18446744073709551615:2", "1:1"));
  EXPECT_THAT(TopTwo<int8_t>(DataType::kInt8), ElementsAre("127:2", "1:1"));
  EXPECT_THAT(TopTwo<int16_t>(DataType::kInt16), ElementsAre("32767:2", "1:1"));
  EXPECT_THAT(TopTwo<int32_t>(DataType::kInt32), ElementsAre("2147483647:2", "1:1"));
  EXPECT_THAT(TopTwo<int64_t>(DataType::kInt64), ElementsAre("9223372036854775807:2", "1:1"));
  EXPECT_THAT(TextsOf(Classify(Of<double>(DataType::kFp64, {-0.25, 1e-7, 1234567.5}), 3)),
              ElementsAre("1234567.500000:2", "0.000000:1", "-0.250000:0"));
}

TEST(Classify, GivesNoMoreThanThereIs) {
  EXPECT_THAT(TextsOf(Classify(Of<int8_t>(DataType::kInt8, {3, 4}), kMaxClasses)), ElementsAre("4:1", "3:0"));
  EXPECT_THAT(TextsOf(Classify(Of<int8_t>(DataType::kInt8, {}), 5)), IsEmpty());
}

TEST(Classify, SeesTheWholeTensorWhateverItsShape) {
  const Tensor classes = Classify(Of<int32_t>(DataType::kInt32, {1, 9, 8, 2}, {2, 1, 2}), 2);
  EXPECT_THAT(classes.spec.shape, ElementsAre(2));
  EXPECT_THAT(TextsOf(classes), ElementsAre("9:1", "8:2"));
}

TEST(Classify, PutsEqualOnesInOrderAndNoNumbersLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(TextsOf(Classify(Of<float>(DataType::kFp32, {nan, 2, infinity, 2, nan, -infinity}), 6)),
              ElementsAre("inf:2", "2.000000:1", "2.000000:3", "-inf:5", "nan:0", "nan:4"));
}

RC_GTEST_PROP(Classify, IsTheBeginningOfASortedTensor, (const std::vector<int16_t>& values, uint8_t any)) {
  const uint32_t most = 1U + any;
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
  order.resize(std::min<size_t>(order.size(), most));
  std::vector<std::string> wanted;
  for (const size_t i : order)
    wanted.push_back(std::to_string(values[i]) + ":" + std::to_string(i));
  RC_ASSERT(TextsOf(Classify(Of<int16_t>(DataType::kInt16, values), most)) == wanted);
}

TEST(ClassesOf, IsASmallInteger) {
  EXPECT_EQ(ClassesOf(int64_t{0}).value(), 0u);
  EXPECT_EQ(ClassesOf(int64_t{3}).value(), 3u);
  EXPECT_EQ(ClassesOf(uint64_t{kMaxClasses}).value(), kMaxClasses);
  for (const ParameterValue& wrong : {ParameterValue(int64_t{-1}), ParameterValue(int64_t{kMaxClasses} + 1),
                                      ParameterValue(uint64_t{kMaxClasses} + 1), ParameterValue(2.0),
                                      ParameterValue(true), ParameterValue(std::string("2"))})
    EXPECT_EQ(ClassesOf(wrong).status(), InvalidArgument("classification must be an integer 0 .. 65536"));
}

TEST(ClassifyOutputs, ReplacesOnlyWhatItWasAskedFor) {
  const Tensor one = Of<int8_t>(DataType::kInt8, {7, 8}), two = Of<int8_t>(DataType::kInt8, {5, 6});
  InferenceAnswer answer{ModelId("m:1"), false, {&one, &two}, {0, 1}};
  const std::vector<Tensor> classes = ClassifyOutputs(answer);
  EXPECT_EQ(answer.outputs[0], &one);
  EXPECT_EQ(answer.outputs[1], &classes.at(0));
  EXPECT_THAT(TextsOf(*answer.outputs[1]), ElementsAre("6:1"));
  InferenceAnswer all{ModelId("m:1"), false, {&one, &two}, {}};
  EXPECT_THAT(ClassifyOutputs(all), IsEmpty());
  EXPECT_THAT(all.outputs, ElementsAre(&one, &two));
}

} // namespace
} // namespace avocet

#include "cli/load/load_tensors.h"

#include <cstring>

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(LoadTensors, UnknownExtentsBecomeOne) {
  EXPECT_EQ(Concrete({"x", DataType::kFp32, {-1, 3, -1}}).shape, (std::vector<int64_t>{1, 3, 1}));
}

TEST(LoadTensors, ZerosHaveTheSizeOfTheShape) {
  const auto bytes = MakeTensorBytes({"x", DataType::kFp32, {1, 128, 3}}, TensorFill::kZeros, 1);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*bytes, std::string(size_t{128} * 3 * 4, '\0'));
}

TEST(LoadTensors, RandomFloatsAreFractions) {
  const auto bytes = MakeTensorBytes({"x", DataType::kFp32, {1000}}, TensorFill::kRandom, 1);
  ASSERT_TRUE(bytes.ok());
  std::vector<float> values(1000);
  ASSERT_EQ(bytes->size(), values.size() * sizeof(float));
  std::memcpy(values.data(), bytes->data(), bytes->size());
  double sum = 0;
  for (float value : values) {
    EXPECT_GE(value, 0);
    EXPECT_LE(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 1000, 0.5, 0.05);
}

TEST(LoadTensors, RandomIsAFunctionOfTheSeed) {
  const TensorSpec spec{"x", DataType::kUint8, {64}};
  const auto make = [&](uint64_t seed) { return *MakeTensorBytes(spec, TensorFill::kRandom, seed); };
  EXPECT_EQ(make(1), make(1));
  EXPECT_NE(make(1), make(2));
}

TEST(LoadTensors, BooleansAreZeroOrOne) {
  const auto bytes = MakeTensorBytes({"x", DataType::kBool, {64}}, TensorFill::kRandom, 1);
  for (char byte : *bytes)
    EXPECT_TRUE(byte == 0 || byte == 1);
}

TEST(LoadTensors, ByteStringsAreEmptyOnes) {
  EXPECT_EQ(*MakeTensorBytes({"x", DataType::kBytes, {3}}, TensorFill::kRandom, 1), std::string(12, '\0'));
}

TEST(LoadTensors, AreBounded) {
  const auto most = static_cast<int64_t>(kMaxLoadTensorBytes);
  EXPECT_TRUE(MakeTensorBytes({"x", DataType::kUint8, {most}}, TensorFill::kZeros, 1).ok());
  const auto more = MakeTensorBytes({"x", DataType::kUint8, {most + 1}}, TensorFill::kZeros, 1);
  EXPECT_EQ(more.status().code(), StatusCode::kResourceExhausted);
}

} // namespace
} // namespace avocet

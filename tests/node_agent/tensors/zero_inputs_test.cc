#include "node_agent/tensors/zero_inputs.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(ZeroInputs, FitTheSignatureTheyAreFor) {
  const ModelSignature signature{{TensorSpec{"x", DataType::kFp32, {-1, 3}}, TensorSpec{"y", DataType::kInt8, {4}},
                                  TensorSpec{"z", DataType::kInt64, {}}},
                                 {}};
  const ZeroInputs zeros(signature);
  EXPECT_TRUE(CheckInputs(signature, zeros.views).ok()) << CheckInputs(signature, zeros.views).ToString();
  EXPECT_EQ(zeros.views[0].spec.shape, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(zeros.views[0].data.size(), 12u);
}

TEST(ZeroInputs, ByteStringsAreEmptyWithTheirLengths) {
  const ZeroInputs zeros({{TensorSpec{"s", DataType::kBytes, {3}}}, {}});
  EXPECT_EQ(zeros.views[0].data.size(), 12u);
}

} // namespace
} // namespace avocet

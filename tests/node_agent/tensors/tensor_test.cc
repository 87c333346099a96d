#include "node_agent/tensors/tensor.h"

#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace avocet {
namespace {

const ModelSignature kTwoInputs{{{"image", DataType::kFp32, {1, 2, 2}}, {"ids", DataType::kInt64, {-1}}},
                                {{"out", DataType::kFp32, {1}}}};

/// A view of zeros with the size that its spec asks for, or another one.
class Input {
public:
  Input(std::string name, DataType type, std::vector<int64_t> shape, size_t bytes)
      : bytes_(bytes), view_{{std::move(name), type, std::move(shape)}, bytes_} {}
  const TensorView& view() const { return view_; }

private:
  std::vector<std::byte> bytes_;
  TensorView view_;
};

const Input kImage("image", DataType::kFp32, {1, 2, 2}, 16);
const Input kIds("ids", DataType::kInt64, {3}, 24);

Status Check(std::vector<TensorView> inputs) {
  return CheckInputs(kTwoInputs, inputs);
}

TEST(DataType, NamesReadBack) {
  for (int i = 0; i <= static_cast<int>(DataType::kBytes); ++i) {
    const auto type = static_cast<DataType>(i);
    EXPECT_EQ(ParseDataType(ToString(type)), type);
  }
  EXPECT_EQ(ParseDataType("fp32"), std::nullopt);
  EXPECT_EQ(ElementSize(DataType::kFp16), 2u);
  EXPECT_EQ(ElementSize(DataType::kBf16), 2u);
  EXPECT_EQ(ElementSize(DataType::kBytes), 0u);
}

TEST(TensorByteSize, MultipliesExtents) {
  EXPECT_EQ(*ByteSize({"t", DataType::kFp32, {1, 128, 128, 3}}), 4u * 128 * 128 * 3);
  EXPECT_EQ(*ByteSize({"scalar", DataType::kFp64, {}}), 8u);
  EXPECT_EQ(*ByteSize({"empty", DataType::kFp64, {std::numeric_limits<int64_t>::max(), 0, 7}}), 0u);
}

TEST(TensorByteSize, RefusesWhatHasNoSize) {
  EXPECT_EQ(ByteSize({"t", DataType::kInt8, {2, -1}}).status().message(), "tensor 't': negative extent in INT8[2,-1]");
  EXPECT_EQ(ByteSize({"t", DataType::kBytes, {2}}).status().message(), "tensor 't': BYTES has no fixed size");
  EXPECT_TRUE(ByteSize({"t", DataType::kInt8, std::vector<int64_t>(kMaxTensorRank, 1)}).ok());
  EXPECT_EQ(ByteSize({"t", DataType::kInt8, std::vector<int64_t>(kMaxTensorRank + 1, 1)}).status().message(),
            "tensor 't': 33 dimensions, the most is 32");
}

RC_GTEST_PROP(TensorByteSize, NeverWrapsAround, ()) {
  const auto shape = *rc::gen::resize(8, rc::gen::container<std::vector<int64_t>>(rc::gen::elementOf(
                                             std::vector<int64_t>{1, 2, 3, 1 << 20, int64_t{1} << 40, INT64_MAX})));
  RC_PRE(shape.size() <= kMaxTensorRank);
  __extension__ unsigned __int128 exact = 4;
  bool fits = true;
  for (const int64_t extent : shape) {
    exact *= static_cast<uint64_t>(extent);
    fits = fits && exact <= static_cast<uint64_t>(INT64_MAX);
    if (!fits) break;
  }
  const auto bytes = ByteSize({"t", DataType::kFp32, shape});
  RC_ASSERT(bytes.ok() == fits);
  if (fits) RC_ASSERT(*bytes == static_cast<size_t>(exact));
}

TEST(CheckInputs, TakesThemInAnyOrder) {
  EXPECT_TRUE(Check({kImage.view(), kIds.view()}).ok());
  EXPECT_TRUE(Check({kIds.view(), kImage.view()}).ok());
}

TEST(CheckInputs, NamesWhatIsMissingUnknownOrRepeated) {
  EXPECT_EQ(Check({kImage.view()}), InvalidArgument("input 'ids' is missing"));
  EXPECT_EQ(Check({}), InvalidArgument("input 'image' is missing"));
  EXPECT_EQ(Check({kImage.view(), kImage.view(), kIds.view()}), InvalidArgument("input 'image' is given twice"));
  const Input other("mask", DataType::kFp32, {1, 2, 2}, 16);
  EXPECT_EQ(Check({kImage.view(), kIds.view(), other.view()}), InvalidArgument("input 'mask' is unknown to the model"));
}

TEST(CheckInputs, SaysWhichTypeAndShapeTheModelTakes) {
  const Input type("image", DataType::kUint8, {1, 2, 2}, 4);
  EXPECT_EQ(Check({type.view(), kIds.view()}),
            InvalidArgument("input 'image' is UINT8[1,2,2], the model takes FP32[1,2,2]"));
  const Input shape("image", DataType::kFp32, {1, 4}, 16);
  EXPECT_EQ(Check({shape.view(), kIds.view()}),
            InvalidArgument("input 'image' is FP32[1,4], the model takes FP32[1,2,2]"));
  const Input negative("ids", DataType::kInt64, {-1}, 8);
  EXPECT_EQ(Check({kImage.view(), negative.view()}), InvalidArgument("tensor 'ids': negative extent in INT64[-1]"));
}

TEST(CheckInputs, ASignatureWithoutExtentsTakesAnyShape) {
  const ModelSignature open{{TensorSpec{"x", DataType::kFp32, {}}}, {}};
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{}, {1}, {2, 3}, std::vector<int64_t>(10, 1)}) {
    const size_t bytes = *ByteSize({"x", DataType::kFp32, shape});
    const Input input("x", DataType::kFp32, shape, bytes), less("x", DataType::kFp32, shape, bytes - 1);
    EXPECT_TRUE(CheckInputs(open, std::vector<TensorView>{input.view()}).ok());
    EXPECT_FALSE(CheckInputs(open, std::vector<TensorView>{less.view()}).ok());
  }
}

TEST(CheckInputs, ComparesTheBytes) {
  const Input less("image", DataType::kFp32, {1, 2, 2}, 15);
  EXPECT_EQ(Check({less.view(), kIds.view()}), InvalidArgument("input 'image' has 15 bytes, FP32[1,2,2] needs 16"));
  const Input more("ids", DataType::kInt64, {3}, 25);
  EXPECT_EQ(Check({kImage.view(), more.view()}), InvalidArgument("input 'ids' has 25 bytes, INT64[3] needs 24"));
}

TEST(CheckInputs, LeavesTheSizeOfBytesToTheEngine) {
  const ModelSignature strings{{{"text", DataType::kBytes, {2}}}, {}};
  const Input text("text", DataType::kBytes, {2}, 11);
  EXPECT_TRUE(CheckInputs(strings, std::vector{text.view()}).ok());
}

} // namespace
} // namespace avocet

#include "node_agent/tensors/probe_inputs.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ModelSignature Signature(std::vector<TensorSpec> inputs) {
  return {std::move(inputs), {}};
}

template <class Number> std::vector<Number> Values(const TensorView& view) {
  std::vector<Number> values(view.data.size() / sizeof(Number));
  std::memcpy(values.data(), view.data.data(), view.data.size());
  return values;
}

std::vector<std::byte> Bytes(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

GivenInput File(const std::string& name, const std::string& data) {
  return {{.name = name, .fill = SampleFill::kFile}, Bytes(data)};
}

Status StatusOf(const ModelSignature& signature, const GivenInput& given) {
  return ProbeInputs::Make(signature, std::span(&given, 1), SampleFill::kOnes).status();
}

TEST(ProbeInputs, InventedOnesFitTheSignature) {
  const auto signature = Signature({{"x", DataType::kFp32, {-1, 3}},
                                    {"y", DataType::kInt8, {2}},
                                    {"z", DataType::kInt64, {}},
                                    {"b", DataType::kBool, {1}},
                                    {"h", DataType::kFp16, {1}},
                                    {"g", DataType::kBf16, {1}}});
  const auto inputs = ProbeInputs::Make(signature, {}, SampleFill::kOnes).value();
  ASSERT_TRUE(CheckInputs(signature, inputs->views()).ok()) << CheckInputs(signature, inputs->views()).ToString();
  EXPECT_THAT(inputs->views()[0].spec.shape, ElementsAre(1, 3));
  EXPECT_THAT(Values<float>(inputs->views()[0]), ElementsAre(1, 1, 1));
  EXPECT_THAT(Values<int8_t>(inputs->views()[1]), ElementsAre(1, 1));
  EXPECT_THAT(Values<int64_t>(inputs->views()[2]), ElementsAre(1));
  EXPECT_THAT(Values<uint8_t>(inputs->views()[3]), ElementsAre(1));
  EXPECT_THAT(Values<uint16_t>(inputs->views()[4]), ElementsAre(0x3c00));
  EXPECT_THAT(Values<uint16_t>(inputs->views()[5]), ElementsAre(0x3f80));
}

TEST(ProbeInputs, TextsAreNumbersSoThatTheyCanBeReadAsSuch) {
  const auto signature = Signature({{"s", DataType::kBytes, {2}}});
  const auto text = [&](SampleFill fill) {
    const auto inputs = ProbeInputs::Make(signature, {}, fill).value();
    auto data = inputs->views()[0].data;
    const auto first = *TakeByteString(data);
    return std::string(reinterpret_cast<const char*>(first.data()), first.size());
  };
  EXPECT_EQ(text(SampleFill::kOnes), "1");
  EXPECT_EQ(text(SampleFill::kZeros), "0");
}

TEST(ProbeInputs, RandomOnesAreTheSameForASeed) {
  const auto signature = Signature({{"x", DataType::kFp32, {64}}, {"i", DataType::kInt32, {64}}});
  const auto of_seed = [&](uint64_t seed) {
    const std::vector<GivenInput> given{{{.name = "x", .fill = SampleFill::kRandom, .seed = seed}, {}},
                                        {{.name = "i", .fill = SampleFill::kRandom, .seed = seed}, {}}};
    return ProbeInputs::Make(signature, given, SampleFill::kOnes).value();
  };
  const auto one = of_seed(1);
  EXPECT_EQ(Values<float>(one->views()[0]), Values<float>(of_seed(1)->views()[0]));
  EXPECT_NE(Values<float>(one->views()[0]), Values<float>(of_seed(2)->views()[0]));
  EXPECT_THAT(Values<float>(one->views()[0]), testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(1))));
  EXPECT_THAT(Values<int32_t>(one->views()[1]), testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(128))));
}

TEST(ProbeInputs, AGivenShapeFillsOpenExtentsAndContradictsNoOthers) {
  const auto signature = Signature({{"x", DataType::kFp32, {-1, 3, -1}}});
  const GivenInput fits{{.name = "x", .fill = SampleFill::kZeros, .shape = {{4, 3, 8}}}, {}};
  const auto inputs = ProbeInputs::Make(signature, std::span(&fits, 1), SampleFill::kOnes).value();
  EXPECT_THAT(inputs->views()[0].spec.shape, ElementsAre(4, 3, 8));
  EXPECT_THAT(Values<float>(inputs->views()[0]), testing::Each(0));

  const Status wrong = StatusOf(signature, {{.name = "x", .shape = {{4, 2, 8}}}, {}});
  EXPECT_EQ(wrong, InvalidArgument("input 'x' is FP32[-1,3,-1] in the model; the shape FP32[4,2,8] does not fit"));
}

TEST(ProbeInputs, AFilesSizeTellsOneOpenExtent) {
  const auto signature = Signature({{"x", DataType::kInt16, {-1, 2}}});
  const GivenInput four = File("x", std::string("\1\0\2\0\3\0\4\0", 8));
  const auto inputs = ProbeInputs::Make(signature, std::span(&four, 1), SampleFill::kOnes).value();
  EXPECT_THAT(inputs->views()[0].spec.shape, ElementsAre(2, 2));
  EXPECT_THAT(Values<int16_t>(inputs->views()[0]), ElementsAre(1, 2, 3, 4));
}

TEST(ProbeInputs, AFileThatDoesNotFitIsRefusedByName) {
  const auto pairs = Signature({{"x", DataType::kInt16, {-1, 2}}});
  EXPECT_THAT(StatusOf(pairs, File("x", "abc")).message(), HasSubstr("no whole number of elements of type INT16"));
  EXPECT_THAT(StatusOf(pairs, File("x", "abcdef")).message(), HasSubstr("input 'x' has 6 bytes"));
  EXPECT_THAT(StatusOf(Signature({{"x", DataType::kInt16, {-1, -1}}}), File("x", "ab")).message(),
              HasSubstr("more than one open extent"));
  GivenInput typed = File("x", "abcd");
  typed.sample.data_type = "FP32";
  EXPECT_THAT(StatusOf(pairs, typed).message(), HasSubstr("the file has elements of type FP32"));
  EXPECT_THAT(StatusOf(Signature({{"s", DataType::kBytes, {-1}}}), File("s", "abc")).message(),
              HasSubstr("its length in front"));
}

TEST(ProbeInputs, AnInputThatTheModelLacksIsRefusedWithThoseThatItHas) {
  EXPECT_EQ(StatusOf(Signature({{"x", DataType::kFp32, {1}}, {"y", DataType::kFp32, {1}}}), {{.name = "z"}, {}}),
            InvalidArgument("the model has no input 'z'; it has x, y"));
}

TEST(ProbeInputs, NothingHugeIsInvented) {
  const auto signature = Signature({{"x", DataType::kUint8, {1 << 20, 1 << 20}}});
  EXPECT_EQ(ProbeInputs::Make(signature, {}, SampleFill::kOnes).status().code(), StatusCode::kResourceExhausted);
}

} // namespace
} // namespace avocet

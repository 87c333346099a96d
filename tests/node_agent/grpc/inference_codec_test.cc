#include "node_agent/grpc/inference_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <functional>
#include <limits>

#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

using inference::ModelInferRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ModelInferRequest::InferInputTensor& AddInput(ModelInferRequest& request, const std::string& datatype,
                                              const std::vector<int64_t>& shape) {
  auto& input = *request.add_inputs();
  input.set_name("x" + std::to_string(request.inputs_size()));
  input.set_datatype(datatype);
  input.mutable_shape()->Add(shape.begin(), shape.end());
  return input;
}

template <class T> std::string RawOf(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <class T> std::vector<T> ValuesOf(const TensorView& view) {
  std::vector<T> values(view.data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), view.data.data(), view.data.size());
  return values;
}

std::string TextOf(const TensorView& view) {
  return std::string(reinterpret_cast<const char*>(view.data.data()), view.data.size());
}

std::string ByteString(const std::string& text) {
  return RawOf(std::vector<uint32_t>{static_cast<uint32_t>(text.size())}) + text;
}

TEST(DecodeInputs, RawContentsAreUsedInPlace) {
  ModelInferRequest request;
  AddInput(request, "FP32", {2, 1});
  AddInput(request, "UINT8", {3});
  request.add_raw_input_contents(RawOf<float>({1.5F, -2.0F}));
  request.add_raw_input_contents("abc");
  const auto decoded = DecodeInputs(request);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  ASSERT_EQ(decoded->views.size(), 2u);
  EXPECT_EQ(decoded->views[0].spec, (TensorSpec{"x1", DataType::kFp32, {2, 1}}));
  EXPECT_THAT(ValuesOf<float>(decoded->views[0]), ElementsAre(1.5F, -2.0F));
  EXPECT_EQ(static_cast<const void*>(decoded->views[0].data.data()), request.raw_input_contents(0).data());
  EXPECT_EQ(TextOf(decoded->views[1]), "abc");
  EXPECT_TRUE(decoded->converted.empty());
}

TEST(DecodeInputs, HalvesTravelRaw) {
  for (const char* datatype : {"FP16", "BF16"}) {
    ModelInferRequest request;
    AddInput(request, datatype, {2});
    request.add_raw_input_contents("abcd");
    const auto decoded = DecodeInputs(request);
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_EQ(ToString(decoded->views[0].spec.type), datatype);
    EXPECT_EQ(TextOf(decoded->views[0]), "abcd");
  }
}

TEST(DecodeInputs, TypedContentsOfEveryDatatype) {
  ModelInferRequest request;
  AddInput(request, "BOOL", {2}).mutable_contents()->mutable_bool_contents()->Add(true);
  request.mutable_inputs(0)->mutable_contents()->add_bool_contents(false);
  AddInput(request, "INT8", {1}).mutable_contents()->add_int_contents(-128);
  AddInput(request, "INT16", {1}).mutable_contents()->add_int_contents(-32768);
  AddInput(request, "INT32", {1}).mutable_contents()->add_int_contents(-5);
  AddInput(request, "INT64", {1}).mutable_contents()->add_int64_contents(-6);
  AddInput(request, "UINT8", {1}).mutable_contents()->add_uint_contents(255);
  AddInput(request, "UINT16", {1}).mutable_contents()->add_uint_contents(65535);
  AddInput(request, "UINT32", {1}).mutable_contents()->add_uint_contents(7);
  AddInput(request, "UINT64", {1}).mutable_contents()->add_uint64_contents(8);
  AddInput(request, "FP32", {1}).mutable_contents()->add_fp32_contents(9.5F);
  AddInput(request, "FP64", {1}).mutable_contents()->add_fp64_contents(10.5);
  AddInput(request, "BYTES", {2}).mutable_contents()->add_bytes_contents("hi");
  request.mutable_inputs(11)->mutable_contents()->add_bytes_contents("");
  const auto decoded = DecodeInputs(request);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  const auto& views = decoded->views;
  ASSERT_EQ(views.size(), 12u);
  EXPECT_EQ(TextOf(views[0]), std::string("\1\0", 2));
  EXPECT_THAT(ValuesOf<int8_t>(views[1]), ElementsAre(-128));
  EXPECT_THAT(ValuesOf<int16_t>(views[2]), ElementsAre(-32768));
  EXPECT_THAT(ValuesOf<int32_t>(views[3]), ElementsAre(-5));
  EXPECT_THAT(ValuesOf<int64_t>(views[4]), ElementsAre(-6));
  EXPECT_THAT(ValuesOf<uint8_t>(views[5]), ElementsAre(255));
  EXPECT_THAT(ValuesOf<uint16_t>(views[6]), ElementsAre(65535));
  EXPECT_THAT(ValuesOf<uint32_t>(views[7]), ElementsAre(7u));
  EXPECT_THAT(ValuesOf<uint64_t>(views[8]), ElementsAre(8u));
  EXPECT_THAT(ValuesOf<float>(views[9]), ElementsAre(9.5F));
  EXPECT_THAT(ValuesOf<double>(views[10]), ElementsAre(10.5));
  EXPECT_EQ(TextOf(views[11]), ByteString("hi") + ByteString(""));
}

RC_GTEST_PROP(DecodeInputs, TypedAndRawSayTheSame, (const std::vector<int16_t>& values)) {
  ModelInferRequest typed;
  auto& input = AddInput(typed, "INT16", {static_cast<int64_t>(values.size())});
  for (const int16_t value : values)
    input.mutable_contents()->add_int_contents(value);
  ModelInferRequest raw;
  AddInput(raw, "INT16", {static_cast<int64_t>(values.size())});
  raw.add_raw_input_contents(RawOf(values));
  const auto from_typed = DecodeInputs(typed);
  const auto from_raw = DecodeInputs(raw);
  RC_ASSERT(from_typed.ok());
  RC_ASSERT(from_raw.ok());
  RC_ASSERT(ValuesOf<int16_t>(from_typed->views[0]) == values);
  RC_ASSERT(ValuesOf<int16_t>(from_raw->views[0]) == values);
}

RC_GTEST_PROP(DecodeInputs, ArbitraryBytesNeverReadPastTheEnd, (const std::string& raw, uint8_t count)) {
  ModelInferRequest request;
  AddInput(request, "BYTES", {count});
  request.add_raw_input_contents(raw);
  const auto decoded = DecodeInputs(request);
  RC_ASSERT(decoded.ok() || decoded.status().code() == StatusCode::kInvalidArgument);
}

struct Refusal {
  const char* name;
  std::function<void(ModelInferRequest&)> spoil; ///< of a request with one good FP32[2] raw input
  StatusCode code;
  const char* text;
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}

class DecodeInputsRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(DecodeInputsRefuses, AndSaysWhy) {
  ModelInferRequest request;
  AddInput(request, "FP32", {2});
  request.add_raw_input_contents(RawOf<float>({1, 2}));
  ASSERT_TRUE(DecodeInputs(request).ok());
  GetParam().spoil(request);
  const auto decoded = DecodeInputs(request);
  EXPECT_EQ(decoded.status().code(), GetParam().code);
  EXPECT_THAT(decoded.status().message(), HasSubstr(GetParam().text));
}

void MakeTyped(ModelInferRequest& request, const std::string& datatype) {
  request.clear_raw_input_contents();
  request.mutable_inputs(0)->set_datatype(datatype);
}

constexpr auto kInvalid = StatusCode::kInvalidArgument;

INSTANTIATE_TEST_SUITE_P(
    Cases, DecodeInputsRefuses,
    testing::Values(
        Refusal{"raw and typed mixed", [](auto& r) { r.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); },
                kInvalid, "input 'x1' has typed contents beside raw_input_contents"},
        Refusal{"too few raw", [](auto& r) { AddInput(r, "FP32", {1}); }, kInvalid,
                "1 raw_input_contents for 2 inputs"},
        Refusal{"too many raw", [](auto& r) { r.add_raw_input_contents("x"); }, kInvalid,
                "2 raw_input_contents for 1 inputs"},
        Refusal{"unknown datatype", [](auto& r) { r.mutable_inputs(0)->set_datatype("FLOAT"); }, kInvalid,
                "unknown datatype 'FLOAT'"},
        Refusal{"short", [](auto& r) { r.mutable_raw_input_contents(0)->pop_back(); }, kInvalid,
                "has 7 bytes, FP32[2] takes 8"},
        Refusal{"long", [](auto& r) { r.mutable_raw_input_contents(0)->push_back('x'); }, kInvalid, "has 9 bytes"},
        Refusal{"negative extent", [](auto& r) { r.mutable_inputs(0)->set_shape(0, -1); }, kInvalid, "input 'x1'"},
        Refusal{"overflowing shape",
                [](auto& r) {
                  r.mutable_inputs(0)->set_shape(0, int64_t{1} << 62);
                  r.mutable_inputs(0)->add_shape(int64_t{1} << 62);
                },
                kInvalid, "input 'x1'"},
        Refusal{"rank 33", [](auto& r) { r.mutable_inputs(0)->mutable_shape()->Resize(33, 1); }, kInvalid,
                "33 dimensions, the most is 32"},
        Refusal{"257 inputs",
                [](auto& r) {
                  for (int i = 0; i < 256; ++i)
                    AddInput(r, "FP32", {1});
                },
                kInvalid, "257 inputs, the most is 256"},
        Refusal{"shared memory", [](auto& r) { (*r.mutable_inputs(0)->mutable_parameters())["shared_memory_region"]; },
                StatusCode::kUnsupported, "shared memory"},
        Refusal{"typed, too few",
                [](auto& r) {
                  MakeTyped(r, "FP32");
                  r.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
                },
                kInvalid, "has 1 elements in fp32_contents, FP32[2] takes 2"},
        Refusal{"typed, wrong field",
                [](auto& r) {
                  MakeTyped(r, "FP32");
                  for (int i = 0; i < 2; ++i)
                    r.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
                  r.mutable_inputs(0)->mutable_contents()->add_int_contents(1);
                },
                kInvalid, "1 elements in int_contents, FP32[2] takes 0"},
        Refusal{"typed, missing", [](auto& r) { MakeTyped(r, "FP32"); }, kInvalid, "0 elements in fp32_contents"},
        Refusal{"typed FP16", [](auto& r) { MakeTyped(r, "FP16"); }, kInvalid, "FP16 has no typed contents"},
        Refusal{"typed BF16", [](auto& r) { MakeTyped(r, "BF16"); }, kInvalid, "BF16 has no typed contents"},
        Refusal{"typed, out of range",
                [](auto& r) {
                  MakeTyped(r, "INT8");
                  for (const int v : {1, 128})
                    r.mutable_inputs(0)->mutable_contents()->add_int_contents(v);
                },
                kInvalid, "128 does not fit into INT8"},
        Refusal{"byte strings, too few",
                [](auto& r) {
                  r.mutable_inputs(0)->set_datatype("BYTES");
                  r.set_raw_input_contents(0, ByteString("one"));
                },
                kInvalid, "has 1 elements, BYTES[2] takes 2"},
        Refusal{"byte strings, cut off",
                [](auto& r) {
                  r.mutable_inputs(0)->set_datatype("BYTES");
                  r.set_raw_input_contents(0, ByteString("one") + ByteString("two").substr(0, 6));
                },
                kInvalid, "element 1 reaches past the end"}));

TEST(DecodeInputs, TakesExactlyTheMostInputs) {
  ModelInferRequest request;
  for (int i = 0; i < kMaxTensorsPerRequest; ++i) {
    AddInput(request, "UINT8", {1});
    request.add_raw_input_contents("x");
  }
  EXPECT_TRUE(DecodeInputs(request).ok());
}

TEST(DecodeParameters, KeepsNamesAndTypes) {
  ModelInferRequest request;
  auto& parameters = *request.mutable_parameters();
  parameters["flag"].set_bool_param(true);
  parameters["signed"].set_int64_param(-1500);
  parameters["unsigned"].set_uint64_param(std::numeric_limits<uint64_t>::max());
  parameters["text"].set_string_param("5");
  parameters["real"].set_double_param(0.5);
  EXPECT_EQ(DecodeParameters(request).value(), (Parameters{{"flag", true},
                                                           {"signed", int64_t{-1500}},
                                                           {"unsigned", std::numeric_limits<uint64_t>::max()},
                                                           {"text", std::string("5")},
                                                           {"real", 0.5}}));
}

TEST(DecodeParameters, AreBounded) {
  ModelInferRequest request;
  for (size_t i = 0; i < kMaxParameters; ++i)
    (*request.mutable_parameters())["p" + std::to_string(i)].set_bool_param(true);
  EXPECT_TRUE(DecodeParameters(request).ok());
  (*request.mutable_parameters())["one more"].set_bool_param(true);
  EXPECT_EQ(DecodeParameters(request).status().code(), kInvalid);
}

TEST(DecodeOutputs, AreNamesAndHowManyClasses) {
  ModelInferRequest request;
  EXPECT_THAT(DecodeOutputs(request).value(), IsEmpty());
  request.add_outputs()->set_name("b");
  request.add_outputs()->set_name("a");
  (*request.mutable_outputs(1)->mutable_parameters())["classification"].set_int64_param(3);
  const auto outputs = DecodeOutputs(request);
  ASSERT_EQ(outputs->size(), 2u);
  EXPECT_EQ(outputs->at(0).name, "b");
  EXPECT_EQ(outputs->at(0).classes, 0u);
  EXPECT_EQ(outputs->at(1).name, "a");
  EXPECT_EQ(outputs->at(1).classes, 3u);
}

TEST(DecodeOutputs, RefuseParametersThatCannotBeServed) {
  ModelInferRequest request;
  auto& parameters = *request.add_outputs()->mutable_parameters();
  request.mutable_outputs(0)->set_name("b");
  parameters["classification"].set_string_param("3");
  EXPECT_EQ(DecodeOutputs(request).status(),
            InvalidArgument("output 'b': classification must be an integer 0 .. 65536"));
  parameters.clear();
  parameters["shared_memory_region"].set_string_param("r");
  EXPECT_EQ(DecodeOutputs(request).status(), Unsupported("output 'b': shared memory is not supported"));
}

const Tensor kFirst{{"a", DataType::kFp32, {1}}, std::vector<std::byte>(4, std::byte{1})};
const Tensor kSecond{{"b", DataType::kUint8, {2}}, std::vector<std::byte>(2, std::byte{2})};

TEST(EncodeAnswer, DescribesOutputsInOrder) {
  inference::ModelInferResponse response;
  EncodeAnswer({}, {ModelId("face:3"), false, {&kSecond, &kFirst}}, response);
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(0).name(), "b");
  EXPECT_EQ(response.outputs(0).datatype(), "UINT8");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(2));
  EXPECT_EQ(response.outputs(1).name(), "a");
}

TEST(EncodeAnswer, EchoesTheIdAndMarksEmulation) {
  ModelInferRequest request;
  request.set_model_name("cam");
  request.set_id("42");
  inference::ModelInferResponse response;
  EncodeAnswer(request, {ModelId("face:3"), true, {}}, response);
  EXPECT_EQ(response.model_name(), "cam");
  EXPECT_EQ(response.model_version(), "3");
  EXPECT_EQ(response.id(), "42");
  EXPECT_TRUE(response.parameters().at("emulated").bool_param());
  inference::ModelInferResponse real;
  EncodeAnswer(request, {ModelId("face:3"), false, {}}, real);
  EXPECT_TRUE(real.parameters().empty());
}

} // namespace
} // namespace avocet

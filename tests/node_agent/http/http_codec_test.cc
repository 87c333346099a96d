// The pure parts of the REST endpoint: routes and requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "node_agent/http/http_body.h"
#include "node_agent/http/http_infer_request.h"
#include "node_agent/http/http_routes.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

HttpMatch Match(std::string_view method, std::string_view target) {
  return MatchRoute(HttpSurface::kInference, method, target);
}

TEST(MatchRoute, FindsModelsAndVersions) {
  const HttpMatch match = Match("POST", "/v2/models/door%20cam/versions/3/infer?x=/y");
  EXPECT_EQ(match.status, 200);
  EXPECT_EQ(match.route.action, HttpAction::kInfer);
  EXPECT_EQ(match.route.model, "door cam");
  EXPECT_EQ(match.route.version, "3");
  EXPECT_EQ(Match("GET", "/v2/models/stats").route.model, "");
  EXPECT_EQ(Match("GET", "/v2/models/stats/config").route.model, "stats");
}

TEST(MatchRoute, SaysWhyNot) {
  EXPECT_EQ(Match("GET", "/").status, 404);
  EXPECT_EQ(Match("GET", "").status, 404);
  EXPECT_EQ(Match("GET", "v2").status, 404);
  EXPECT_EQ(Match("GET", "/v2/models/").status, 404);
  EXPECT_EQ(Match("GET", "/v2/models//ready").status, 404);
  EXPECT_EQ(Match("GET", "/v2/models/a/versions//ready").status, 404);
  EXPECT_EQ(Match("GET", "/v2/models/a/b/c/d/e/f").status, 404);
  EXPECT_EQ(Match("DELETE", "/v2/models/a").status, 405);
  EXPECT_EQ(Match("GET", "/v2/models/%4").status, 400);
  EXPECT_EQ(Match("POST", "/v2/cudasharedmemory/region/r/register").status, 501);
  EXPECT_EQ(Match("GET", "/metrics").status, 404);
  EXPECT_EQ(MatchRoute(HttpSurface::kMetrics, "GET", "/metrics").status, 200);
}

// Requests

constexpr size_t kMost = 1 << 20;

Result<HttpInferRequest> Decode(const std::string& json, const std::string& tail = {}, size_t most = kMost) {
  static std::vector<std::unique_ptr<std::string>> bodies; // views point into them
  const std::string& body = *bodies.emplace_back(std::make_unique<std::string>(json + tail));
  return DecodeInferRequest({std::as_bytes(std::span(body)), json.size(), most});
}

Result<HttpInferRequest> DecodeInput(const std::string& members, const std::string& tail = {}) {
  return Decode(R"({"inputs":[{"name":"x",)" + members + "}]}", tail);
}

template <class T> std::vector<T> ValuesOf(const Result<HttpInferRequest>& request, size_t i = 0) {
  if (!request.ok()) {
    ADD_FAILURE() << request.status().ToString();
    return {};
  }
  const auto data = request->inputs.at(i).data;
  std::vector<T> values(data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), data.data(), data.size());
  return values;
}

TEST(DecodeInferRequest, DataOfEveryDatatype) {
  EXPECT_THAT(ValuesOf<uint8_t>(DecodeInput(R"("datatype":"BOOL","shape":[3],"data":[true,false,1])")),
              ElementsAre(1, 0, 1));
  EXPECT_THAT(ValuesOf<int8_t>(DecodeInput(R"("datatype":"INT8","shape":[2],"data":[-128,127])")),
              ElementsAre(-128, 127));
  EXPECT_THAT(ValuesOf<int16_t>(DecodeInput(R"("datatype":"INT16","shape":[1],"data":[-32768])")), ElementsAre(-32768));
  EXPECT_THAT(ValuesOf<int32_t>(DecodeInput(R"("datatype":"INT32","shape":[1],"data":[-5])")), ElementsAre(-5));
  EXPECT_THAT(ValuesOf<int64_t>(DecodeInput(R"("datatype":"INT64","shape":[1],"data":[-9223372036854775808])")),
              ElementsAre(std::numeric_limits<int64_t>::min()));
  EXPECT_THAT(ValuesOf<uint8_t>(DecodeInput(R"("datatype":"UINT8","shape":[1],"data":[255])")), ElementsAre(255));
  EXPECT_THAT(ValuesOf<uint16_t>(DecodeInput(R"("datatype":"UINT16","shape":[1],"data":[65535])")), ElementsAre(65535));
  EXPECT_THAT(ValuesOf<uint32_t>(DecodeInput(R"("datatype":"UINT32","shape":[1],"data":[4294967295])")),
              ElementsAre(4294967295u));
  EXPECT_THAT(ValuesOf<uint64_t>(DecodeInput(R"("datatype":"UINT64","shape":[1],"data":[18446744073709551615])")),
              ElementsAre(std::numeric_limits<uint64_t>::max()));
  EXPECT_THAT(ValuesOf<float>(DecodeInput(R"("datatype":"FP32","shape":[3],"data":[1,-2.5,0.1])")),
              ElementsAre(1.0F, -2.5F, 0.1F));
  EXPECT_THAT(ValuesOf<double>(DecodeInput(R"("datatype":"FP64","shape":[2],"data":[0.1,1e300])")),
              ElementsAre(0.1, 1e300));
  const auto text = DecodeInput(R"("datatype":"BYTES","shape":[2],"data":["hi","\u00e9"])");
  EXPECT_THAT(ValuesOf<char>(text), ElementsAre(2, 0, 0, 0, 'h', 'i', 2, 0, 0, 0, '\xc3', '\xa9'));
}

// Of RapidJSON 1.1 "0.0e200" is 1e-16, 29 zeros 1e-244, and "0e-99" -3e302.
TEST(DecodeInferRequest, NumbersAreExactToTheLastBit) {
  for (const char* text :
       {"0.0e200", "0e-99", "0.00000000000000000000000000000", "-0E99", "0.1", "1e23", "9007199254740993.0", "5e-324",
        "2.2250738585072011e-308", "1.7976931348623157e308", "123456789012345678901234567890.0", "1e-400", "-2.5E+3"}) {
    const double wanted = std::strtod(text, nullptr);
    for (const std::string& members : {R"("datatype":"FP64","shape":[1],"data":[)" + std::string(text) + "]",
                                       R"("data":[)" + std::string(text) + R"(],"datatype":"FP64","shape":[1])"}) {
      const auto values = ValuesOf<double>(DecodeInput(members));
      ASSERT_EQ(values.size(), 1u) << text;
      EXPECT_EQ(std::bit_cast<uint64_t>(values[0]), std::bit_cast<uint64_t>(wanted)) << text << ": " << values[0];
    }
  }
}

TEST(DecodeInferRequest, DataNestedOrFlatAndInFrontOfItsType) {
  const std::vector<float> wanted{1, 2, 3, 4};
  EXPECT_EQ(ValuesOf<float>(DecodeInput(R"("datatype":"FP32","shape":[2,2],"data":[[1,2],[3,4]])")), wanted);
  EXPECT_EQ(ValuesOf<float>(DecodeInput(R"("datatype":"FP32","shape":[2,2],"data":[1,2,3,4])")), wanted);
  EXPECT_EQ(ValuesOf<float>(DecodeInput(R"("data":[[1,2],[3,4]],"datatype":"FP32","shape":[2,2])")), wanted);
  EXPECT_EQ(ValuesOf<float>(DecodeInput(R"("shape":[2,2], "data" : [ [1,2] , [3,4] ] ,"datatype":"FP32")")), wanted);
  EXPECT_THAT(ValuesOf<float>(DecodeInput(R"("datatype":"FP32","shape":[0],"data":[])")), IsEmpty());
}

TEST(DecodeInferRequest, BinaryInputsInOrderMixedWithJson) {
  const auto request = Decode(R"({"inputs":[
      {"name":"a","datatype":"UINT8","shape":[3],"parameters":{"binary_data_size":3}},
      {"name":"b","datatype":"FP32","shape":[1],"data":[7]},
      {"name":"c","datatype":"INT16","shape":[1],"parameters":{"binary_data_size":2}}]})",
                              std::string("abc\1\2", 5));
  EXPECT_THAT(ValuesOf<char>(request, 0), ElementsAre('a', 'b', 'c'));
  EXPECT_THAT(ValuesOf<float>(request, 1), ElementsAre(7.0F));
  EXPECT_THAT(ValuesOf<int16_t>(request, 2), ElementsAre(0x201));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(request->inputs[2].data.data()) % 2, 0u);
}

TEST(DecodeInferRequest, EverythingElseOfARequest) {
  const auto request =
      Decode(R"({"id":"","unknown":{"a":[{"b":null}]},"parameters":{"timeout":5,"priority":18446744073709551615,
      "x":0.5,"y":"z","f":false,"binary_data_output":true},"outputs":[{"name":"p","parameters":{"binary_data":false}},
      {"name":"q"},{"name":"r","parameters":{"classification":5}}]})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->id, "");
  EXPECT_EQ(request->parameters, (Parameters{{"timeout", int64_t{5}},
                                             {"priority", std::numeric_limits<uint64_t>::max()},
                                             {"x", 0.5},
                                             {"y", std::string("z")},
                                             {"f", false}}));
  ASSERT_EQ(request->outputs.size(), 3u);
  EXPECT_EQ(request->outputs[0].name, "p");
  EXPECT_EQ(request->outputs[1].name, "q");
  EXPECT_EQ(request->outputs[1].classes, 0u);
  EXPECT_EQ(request->outputs[2].classes, 5u);
  EXPECT_FALSE(request->IsBinary(0));
  EXPECT_TRUE(request->IsBinary(1));
  EXPECT_EQ(Decode("{}")->id, std::nullopt);
}

std::string Repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

TEST(DecodeInferRequest, AnOutputThatIsAskedForTwiceIsSentAsItWasAskedForFirst) {
  const auto request = Decode(R"({"outputs":[{"name":"a","parameters":{"binary_data":true}},{"name":"b"},)"
                              R"({"name":"a","parameters":{"binary_data":false}}]})");
  ASSERT_TRUE(request.ok());
  ASSERT_EQ(request->outputs.size(), 2u);
  EXPECT_TRUE(request->IsBinary(0));
  EXPECT_FALSE(request->IsBinary(1));
}

TEST(DecodeInferRequest, RanksBeyondEightArriveWhole) {
  const auto input = DecodeInput(R"("datatype":"FP32","shape":[1,1,1,1,1,1,1,1,1,2],"data":[1,2])");
  ASSERT_TRUE(input.ok()) << input.status().ToString();
}

/// A request in JSON, and a part of the text that it is refused with.
using Refusals = std::vector<std::pair<std::string, const char*>>;

void ExpectRefusals(const Refusals& cases) {
  for (const auto& [json, text] : cases) {
    const auto decoded = Decode(json);
    EXPECT_EQ(decoded.status().code(), StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(decoded.status().message(), HasSubstr(text)) << json;
  }
}

TEST(DecodeInferRequest, NamesTheElementThatIsWrong) {
  ExpectRefusals({
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[null]}]})", "element 0 is null"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":["1"]}]})", "element 0 is a string"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[{}]}]})", "'data' must hold elements"},
      {R"({"inputs":[{"name":"x","data":[1,"2"],"datatype":"FP32","shape":[2]}]})", "element 1 is a string"},
      {R"({"inputs":[{"name":"x","datatype":"INT8","shape":[1],"data":[128]}]})", "(128) does not fit into INT8[1]"},
      {R"({"inputs":[{"name":"x","datatype":"UINT64","shape":[1],"data":[-1]}]})", "(-1) does not fit into UINT64[1]"},
      {R"({"inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[1.5]}]})", "is no whole number"},
      {R"({"inputs":[{"name":"x","datatype":"BOOL","shape":[1],"data":[2]}]})", "is no boolean"},
      {R"({"inputs":[{"name":"x","datatype":"FP16","shape":[1],"data":[1]}]})", "FP16 has no JSON form"},
      {R"({"inputs":[{"name":"x","datatype":"BF16","shape":[1],"data":[1]}]})", "BF16 has no JSON form"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[3],"data":[1,1e400,3]}]})",
       "input 'x': element 1 ('1e400'): the request is not valid JSON at byte"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[+1,2]}]})", "input 'x': element 0 ('+1'): the"},
  });
}

TEST(DecodeInferRequest, RefusesAndSaysWhy) {
  const Refusals cases{
      {"", "not valid JSON at byte 0"},
      {"[]", "must be a JSON object"},
      {"1", "must be a JSON object"},
      {"{} {}", "not valid JSON"},
      {R"({"inputs":{}})", "'inputs' must be an array"},
      {R"({"inputs":[1]})", "must hold objects"},
      {R"({"inputs":[[]]})", "must hold objects"},
      {R"({"id":7})", "'id' must be a string"},
      {R"({"parameters":[]})", "'parameters' must be an object"},
      {R"({"parameters":{"binary_data_output":1}})", "binary_data_output must be a boolean"},
      {R"({"outputs":[{"name":"x","parameters":{"binary_data":1}}]})", "output 'x': binary_data must be a boolean"},
      {R"({"outputs":[{"name":"x","parameters":{"classification":-1}}]})", "output 'x': classification must be an int"},
      {R"({"outputs":[{"name":"x","parameters":{"classification":65537}}]})", "classification must be an integer 0"},
      {R"({"outputs":[{"name":"x","parameters":{"classification":true}}]})", "classification must be an integer 0"},
      {R"({"inputs":[{"name":"x","shape":[1],"data":[1]}]})", "input 'x' has no 'datatype'"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","data":[1]}]})", "input 'x' has no 'shape'"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]})", "neither 'data' nor 'binary_data_size'"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":["1"],"data":[1]}]})", "'shape' must be an array of whole"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1.5],"data":[1]}]})", "'shape' must be an array of whole"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","data":[1],"shape":[)" + Repeat("1,", 32) + "1]}]}",
       "more than 32 dimensions"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[-1],"data":[1]}]})", "negative extent"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[1]}]})", "has 1 elements, FP32[2] takes 2"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1,2]}]})", "more elements than FP32[1]"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[99999999],"data":[1]}]})", "fewer elements than"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1],"data":[2]}]})", "has 'data' twice"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1)",
       "too deeply"},
      {R"({"y":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]})", "too deeply"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]})",
       "at most the 0 that are left"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":-4}}]})",
       "must be a number of bytes"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[0],"data":[],"parameters":{"binary_data_size":0}}]})",
       "use one of them"},
  };
  ExpectRefusals(cases);
  EXPECT_THAT(Decode("{}", "tail").status().message(), HasSubstr("4 bytes behind the last binary input"));
  EXPECT_EQ(DecodeInput(R"("datatype":"FP32","shape":[1],"parameters":{"shared_memory_region":"r"})").status().code(),
            StatusCode::kUnsupported);
  EXPECT_EQ(Decode(R"({"outputs":[{"name":"x","parameters":{"shared_memory_region":"r"}}]})").status().code(),
            StatusCode::kUnsupported);
}

TEST(DecodeInferRequest, TensorsAreBoundedBeforeTheyAreAllocated) {
  const std::string ten = R"({"inputs":[{"name":"x","datatype":"FP64","shape":[10],"data":[1,2,3,4,5,6,7,8,9,10]}]})";
  EXPECT_TRUE(Decode(ten, {}, 80).ok());
  EXPECT_EQ(Decode(ten, {}, 79).status().code(), StatusCode::kResourceExhausted);
}

// Raw requests

Result<HttpInferRequest> DecodeRaw(std::string_view body, DataType type, std::vector<int64_t> shape) {
  return DecodeRawRequest(std::as_bytes(std::span(body)), {{TensorSpec{"x", type, std::move(shape)}}, {}});
}

TEST(DecodeRawRequest, TheBodyIsTheOnlyInput) {
  const std::string body("\0\0\x80\x3f\0\0\0\x40", 8);
  for (const auto& [shape, given] : std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>>{
           {{2}, {2}}, {{-1}, {2}}, {{1, -1}, {1, 2}}, {{-1, 2}, {1, 2}}, {{1, 2, 1}, {1, 2, 1}}}) {
    const auto request = DecodeRaw(body, DataType::kFp32, shape);
    EXPECT_THAT(ValuesOf<float>(request), ElementsAre(1.0F, 2.0F));
    EXPECT_EQ(request->inputs[0].spec, (TensorSpec{"x", DataType::kFp32, given}));
    EXPECT_EQ(static_cast<const void*>(request->inputs[0].data.data()), body.data()) << "in place";
    EXPECT_TRUE(request->IsBinary(0));
    EXPECT_EQ(request->id, std::nullopt);
  }
}

TEST(DecodeRawRequest, BytesAreOneElementWithoutALength) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1}, {-1}, {1, -1}, {}}) {
    const auto request = DecodeRaw("hi", DataType::kBytes, shape);
    EXPECT_THAT(ValuesOf<char>(request), ElementsAre(2, 0, 0, 0, 'h', 'i'));
    EXPECT_EQ(request->inputs[0].spec.shape, std::vector<int64_t>(shape.size(), 1));
  }
  EXPECT_THAT(ValuesOf<char>(DecodeRaw("", DataType::kBytes, {-1})), ElementsAre(0, 0, 0, 0));
}

TEST(DecodeRawRequest, AnEmptyBodyIsAnEmptyTensor) {
  const auto request = DecodeRaw("", DataType::kFp32, {-1, 3});
  EXPECT_THAT(ValuesOf<float>(request), IsEmpty());
  EXPECT_THAT(request->inputs[0].spec.shape, ElementsAre(0, 3));
}

TEST(DecodeRawRequest, RefusesWhatDoesNotFollowFromTheSize) {
  EXPECT_EQ(
      DecodeRaw("1234", DataType::kFp32, {-1, -1}).status(),
      InvalidArgument("input 'x': the shape of a raw request does not follow from its size, since FP32[-1,-1] has "
                      "more than one open extent"));
  EXPECT_EQ(DecodeRaw("12345", DataType::kFp32, {-1}).status(),
            InvalidArgument("input 'x' has 5 bytes, FP32[1] takes 4"));
  EXPECT_EQ(DecodeRaw("1234", DataType::kFp32, {2}).status(),
            InvalidArgument("input 'x' has 4 bytes, FP32[2] takes 8"));
  EXPECT_EQ(DecodeRaw("1234", DataType::kFp32, {-1, 0}).status(),
            InvalidArgument("input 'x' has 4 bytes, FP32[0,0] takes 0"));
  EXPECT_EQ(DecodeRaw("hi", DataType::kBytes, {2}).status(),
            InvalidArgument("input 'x' has 1 elements, BYTES[2] takes 2"));
  EXPECT_FALSE(DecodeRaw("hi", DataType::kFp32, {-1, int64_t{1} << 62, 8}).ok());
  for (const size_t inputs : {0u, 2u})
    EXPECT_EQ(DecodeRawRequest({}, {std::vector<TensorSpec>(inputs), {}}).status(),
              InvalidArgument("a raw request has one input, and the model has " + std::to_string(inputs)));
}

TEST(HttpBody, PutsTheFirstTensorOnACacheLine) {
  for (const size_t json : {0u, 1u, 63u, 64u, 150u}) {
    HttpBody body(1000, json);
    EXPECT_EQ(body.bytes().size(), 1000u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(body.bytes().data() + json) % HttpBody::kAlignment, 0u);
  }
}

} // namespace
} // namespace avocet

#include "cli/load/load_http_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace avocet {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

LoadPayload Payload() {
  return {AppId("cam"),
          {{{"image", DataType::kUint8, {1, 4}}, std::string("\1\2\3\4", 4)},
           {{"scale", DataType::kFp32, {1}}, std::string(4, '\0')}}};
}

std::string Answer(const std::string& id, const std::string& parameters = "{}") {
  return R"({"model_name":"cam","id":")" + id + R"(","parameters":)" + parameters + R"(,"outputs":[]})";
}

TEST(LoadHttpCodec, TheLengthsFitWhatIsSent) {
  const HttpPayload http = EncodeHttp(Payload(), "127.0.0.1:8000");
  const size_t end = http.head.find("\r\n\r\n") + 4;
  const auto json = nlohmann::json::parse(http.head.substr(end));
  EXPECT_THAT(http.head, StartsWith("POST /v2/models/cam/infer HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"));
  const size_t json_size = http.head.size() - end;
  EXPECT_THAT(http.head, HasSubstr("\r\nInference-Header-Content-Length: " + std::to_string(json_size) + "\r\n"));
  EXPECT_THAT(http.head, HasSubstr("\r\nContent-Length: " + std::to_string(json_size + 8) + "\r\n"));
  EXPECT_EQ(json["inputs"][0]["parameters"]["binary_data_size"], 4);
  EXPECT_EQ(json["inputs"][1]["datatype"], "FP32");
  EXPECT_EQ(http.tensors, (std::vector<std::string>{std::string("\1\2\3\4", 4), std::string(4, '\0')}));
}

TEST(LoadHttpCodec, TheIdIsWrittenInPlace) {
  HttpPayload http = EncodeHttp(Payload(), "x:1");
  const size_t size = http.head.size();
  SetId(http.head, http.id_at, 18446744073709551615U);
  EXPECT_EQ(http.head.size(), size);
  const auto id = [&] { return nlohmann::json::parse(http.head.substr(http.head.find("\r\n\r\n") + 4))["id"]; };
  EXPECT_EQ(id(), "18446744073709551615");
  SetId(http.head, http.id_at, 42);
  EXPECT_EQ(id(), "00000000000000000042");
}

TEST(LoadHttpCodec, ReadsWhatAnAnswerSaysOfItself) {
  const LoadAnswer answer =
      DecodeHttp(200, Answer("00000000000000000042", R"({"emulated":true,"response_time_ns":1500})"), 42);
  EXPECT_TRUE(answer.status.ok()) << answer.status.message();
  EXPECT_TRUE(answer.emulated);
  EXPECT_EQ(answer.server_response, Duration(1500));
  EXPECT_FALSE(DecodeHttp(200, Answer("00000000000000000042"), 42).emulated);
}

TEST(LoadHttpCodec, RefusesWhatIsNoAnswerToTheRequest) {
  EXPECT_EQ(DecodeHttp(200, Answer("00000000000000000041"), 42).status.code(), StatusCode::kInternal);
  EXPECT_EQ(DecodeHttp(200, R"({"outputs":[]})", 42).status.code(), StatusCode::kInternal) << "no id";
  EXPECT_EQ(DecodeHttp(200, "[]", 42).status.code(), StatusCode::kCorruption);
  EXPECT_EQ(DecodeHttp(200, "not json", 42).status.code(), StatusCode::kCorruption);
}

TEST(LoadHttpCodec, FailuresKeepTheServersWords) {
  const Status said = DecodeHttp(503, R"({"error":"the queue is full"})", 1).status;
  EXPECT_EQ(said.code(), StatusCode::kUnavailable);
  EXPECT_EQ(said.message(), "the queue is full");
  EXPECT_EQ(DecodeHttp(502, "<html>", 1).status.message(), "HTTP status 502");
  for (const auto& [http, code] : {std::pair{400U, StatusCode::kInvalidArgument},
                                   {401U, StatusCode::kDenied},
                                   {404U, StatusCode::kNotFound},
                                   {413U, StatusCode::kResourceExhausted},
                                   {429U, StatusCode::kResourceExhausted},
                                   {500U, StatusCode::kInternal},
                                   {501U, StatusCode::kUnsupported},
                                   {504U, StatusCode::kDeadlineExceeded}})
    EXPECT_EQ(DecodeHttp(http, "", 1).status.code(), code) << http;
}

TEST(LoadHttpCodec, ReadsInputsOfTheMetadata) {
  const auto specs = DecodeInputSpecs(200, R"({"inputs":[{"name":"x","datatype":"FP32","shape":[-1,3]}]})");
  ASSERT_TRUE(specs.ok()) << specs.status().message();
  ASSERT_EQ(specs->size(), 1U);
  EXPECT_EQ((*specs)[0].name, "x");
  EXPECT_EQ((*specs)[0].shape, (std::vector<int64_t>{-1, 3}));
  EXPECT_EQ(DecodeInputSpecs(404, R"({"error":"no"})").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(DecodeInputSpecs(200, "{}").status().code(), StatusCode::kCorruption);
  EXPECT_EQ(DecodeInputSpecs(200, R"({"inputs":[{"name":"x","datatype":"FP8","shape":[]}]})").status().code(),
            StatusCode::kUnsupported);
  EXPECT_EQ(DecodeInputSpecs(200, R"({"inputs":[{"name":"x","datatype":"FP32","shape":["a"]}]})").status().code(),
            StatusCode::kCorruption);
}

} // namespace
} // namespace avocet

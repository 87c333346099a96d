// Inference over REST: JSON, binary tensors, raw and compressed bodies, and what goes wrong behind the endpoint.
#include "node_agent/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "node_agent/inference/http_coding.h"
#include "tests/node_agent/http/http_server_fixture.h"

namespace avocet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(HttpServerTest, InfersFromJson) {
  const HttpAnswer answer = Post(kInfer, GoodJson());
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  EXPECT_EQ(answer.fields.count("inference-header-content-length"), 0u);
  EXPECT_EQ(Parse(answer), json::parse(R"({"model_name":"app-a","model_version":"1","id":"7",
    "outputs":[{"name":"out","datatype":"FP32","shape":[2],"data":[1.0,2.0]}]})"));
}

std::string Binary(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string HeaderLength(const std::string& header) {
  return "Inference-Header-Content-Length: " + std::to_string(header.size()) + "\r\n";
}

// tritonclient (Python) with binary input and no outputs named: no Content-Type, binary_data_output.
TEST_F(HttpServerTest, BinaryBothWays) {
  const std::string header =
      R"({"inputs":[{"name":"in","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}],)"
      R"("parameters":{"binary_data_output":true}})";
  const HttpAnswer answer = Post("/v2/models/app-a/versions/1/infer", header + Binary({3, 4}), HeaderLength(header));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.fields.at("content-type"), "application/octet-stream");
  const size_t length = std::stoul(answer.fields.at("inference-header-content-length"));
  EXPECT_EQ(json::parse(answer.body.substr(0, length)), json::parse(R"({"model_name":"app-a","model_version":"1",
    "outputs":[{"name":"out","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}}]})"));
  EXPECT_EQ(answer.body.substr(length), Binary({3, 4}));
}

// tritonclient with JSON input and binary output: no header in the request, one in the answer.
TEST_F(HttpServerTest, JsonInBinaryOut) {
  const HttpAnswer answer = Post(kInfer, R"({"inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[[1],[2]]}],)"
                                         R"("outputs":[{"name":"out","parameters":{"binary_data":true}}]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body.substr(std::stoul(answer.fields.at("inference-header-content-length"))), Binary({1, 2}));
}

// tritonclient: InferRequestedOutput("out", binary_data, class_count=9).
TEST_F(HttpServerTest, ClassesInPlaceOfATensor) {
  const std::string input = R"({"inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[1,2]}],)";
  const HttpAnswer text = Post(kInfer, input + R"("outputs":[{"name":"out","parameters":{"classification":9}}]})");
  ASSERT_EQ(text.status, 200) << text.body;
  EXPECT_EQ(Parse(text)["outputs"], json::parse(R"([{"name":"out","datatype":"BYTES","shape":[2],
    "data":["2.000000:1","1.000000:0"]}])"));
  const HttpAnswer binary =
      Post(kInfer, input + R"("outputs":[{"name":"out","parameters":{"classification":1,"binary_data":true}}]})");
  ASSERT_EQ(binary.status, 200) << binary.body;
  const size_t length = std::stoul(binary.fields.at("inference-header-content-length"));
  EXPECT_EQ(json::parse(binary.body.substr(0, length))["outputs"], json::parse(R"([{"name":"out","datatype":"BYTES",
    "shape":[1],"parameters":{"binary_data_size":14}}])"));
  EXPECT_EQ(binary.body.substr(length), std::string("\x0a\0\0\0"
                                                    "2.000000:1",
                                                    14));
}

TEST_F(HttpServerTest, ClassesOfWhatIsNotComparedAreRefusedBeforeTheRun) {
  ServeLarge(DataType::kBool);
  const HttpAnswer refused =
      Post("/v2/models/large/infer", R"({"inputs":[{"name":"in","shape":[1],"datatype":"BOOL","data":[1]}],)"
                                     R"("outputs":[{"name":"out","parameters":{"classification":1}}]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(ErrorOf(refused), HasSubstr("output 'out' is BOOL, which has no classification"));
  EXPECT_TRUE(device_->Runs().empty());
}

// numpy has no type for it: tritonclient sends BF16 as raw bytes, and cannot ask for it in JSON.
TEST_F(HttpServerTest, Bf16IsServedInBinaryOnly) {
  ServeLarge(DataType::kBf16);
  const json model = Parse(Get("/v2/models/large"));
  EXPECT_EQ(model["inputs"], json::parse(R"([{"name":"in","datatype":"BF16","shape":[-1]}])"));
  EXPECT_EQ(Parse(Get("/v2/models/large/config"))["input"][0]["data_type"], "TYPE_BF16");
  const std::string header =
      R"({"inputs":[{"name":"in","shape":[2],"datatype":"BF16","parameters":{"binary_data_size":4}}],)"
      R"("outputs":[{"name":"out","parameters":{"binary_data":true}}]})";
  const HttpAnswer answer = Post("/v2/models/large/infer", header + "\x80\x3f\x01\x40", HeaderLength(header));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const size_t length = std::stoul(answer.fields.at("inference-header-content-length"));
  EXPECT_EQ(json::parse(answer.body.substr(0, length))["outputs"][0]["datatype"], "BF16");
  EXPECT_EQ(answer.body.substr(length), "\x80\x3f\x01\x40");
  const std::string text = R"({"inputs":[{"name":"in","shape":[1],"datatype":"BF16","data":[1]}]})";
  EXPECT_THAT(ErrorOf(Post("/v2/models/large/infer", text)), HasSubstr("BF16 has no JSON form"));
}

// perf_analyzer: "id":"", application/octet-stream, outputs named with binary_data.
TEST_F(HttpServerTest, WhatPerfAnalyzerSends) {
  HttpClient client = Connect();
  EXPECT_EQ(client.Get("/v2/models/app-a").status, 200);
  EXPECT_EQ(client.Get("/v2/models/app-a/config").status, 200);
  EXPECT_EQ(client.Get("/v2").status, 200);
  const json before = Parse(client.Get("/v2/models/app-a/stats"))["model_stats"][0]["inference_stats"];
  const std::string header =
      R"({"id":"","inputs":[{"name":"in","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}],)"
      R"("outputs":[{"name":"out","parameters":{"binary_data":true}}]})";
  for (int i = 0; i < 50; ++i) {
    const HttpAnswer answer = client.Post(kInfer, header + Binary({1, 2}),
                                          HeaderLength(header) + "Content-Type: application/octet-stream\r\n");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(json::parse(answer.body.substr(0, std::stoul(answer.fields.at("inference-header-content-length"))))["id"],
              "");
  }
  const json after = Parse(client.Get("/v2/models/app-a/stats"))["model_stats"][0]["inference_stats"];
  for (const char* section : {"success", "queue", "compute_input", "compute_infer", "compute_output"})
    EXPECT_EQ(after[section]["count"].get<int>() - before[section]["count"].get<int>(), 50) << section;
}

// As curl sends a file: Inference-Header-Content-Length: 0 and nothing but the tensor.
TEST_F(HttpServerTest, ARawBodyIsTheOnlyInput) {
  HttpClient client = Connect();
  const std::string raw = "Inference-Header-Content-Length: 0\r\n", input = Binary({3, 4});
  for (const HttpAnswer& answer :
       {client.Post(kInfer, input, raw), client.Post(kInfer, Gzip(input), raw + "Content-Encoding: gzip\r\n"),
        client.Ask(HttpClient::ChunkedText(kInfer, input, 3, raw))}) {
    ASSERT_EQ(answer.status, 200) << answer.body;
    const size_t length = std::stoul(answer.fields.at("inference-header-content-length"));
    EXPECT_EQ(json::parse(answer.body.substr(0, length)), json::parse(R"({"model_name":"app-a","model_version":"1",
      "outputs":[{"name":"out","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}}]})"));
    EXPECT_EQ(answer.body.substr(length), input);
  }
  const HttpAnswer wrong = client.Post(kInfer, "12345", raw);
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(ErrorOf(wrong), HasSubstr("has 5 bytes, FP32[2] takes 8"));
  EXPECT_EQ(client.Post("/v2/models/nobody/infer", input, raw).status, 404);
}

TEST_F(HttpServerTest, EmulatedResponsesSaySoAndNeverInAnOutput) {
  const json body = Parse(Post("/v2/models/app-b/infer", GoodJson()));
  EXPECT_EQ(body["parameters"], json::parse(R"({"emulated":true})"));
  EXPECT_FALSE(body["outputs"][0].contains("parameters"));
}

TEST_F(HttpServerTest, ARequestsOwnTimeoutIsToldAsTritonDoes) {
  device_->control->Hold();
  HttpClient running = Connect();
  running.Send(HttpClient::PostText(kInfer, GoodJson()));
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  HttpClient late = Connect();
  late.Send(HttpClient::PostText(
      kInfer, R"({"parameters":{"timeout":1},"inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[1,2]}]})"));
  // Refused at once, or withdrawn at its turn: whichever, before or after the run in front of it.
  device_->control->LetAllGo();
  const HttpAnswer answer = late.Receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields.at("retry-after"), "1");
  EXPECT_THAT(ErrorOf(answer), HasSubstr("Request timeout expired"));
  EXPECT_EQ(running.Receive().status, 200);
}

TEST_F(HttpServerTest, AFullQueueIsUnavailable) {
  SchedulerOptions scheduler;
  scheduler.max_queued = 1;
  Start({}, scheduler);
  device_->control->Hold();
  HttpClient running = Connect(), queued = Connect();
  running.Send(HttpClient::PostText(kInfer, GoodJson()));
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  queued.Send(HttpClient::PostText(kInfer, GoodJson()));
  ASSERT_TRUE(AwaitArrivals(2));
  const HttpAnswer refused = Post(kInfer, GoodJson());
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(ErrorOf(refused), HasSubstr("the queue is full"));
  device_->control->LetAllGo();
  EXPECT_EQ(running.Receive().status, 200);
  EXPECT_EQ(queued.Receive().status, 200);
}

TEST_F(HttpServerTest, EngineFailuresAreInternal) {
  FakeBehaviour failing;
  failing.run = Internal("broken");
  device_->control->Behave(kModelA, failing);
  const HttpAnswer answer = Post(kInfer, GoodJson());
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(ErrorOf(answer), HasSubstr("broken"));
}

TEST_F(HttpServerTest, CompressedBodiesBothWays) {
  const std::string json_part =
      R"({"inputs":[{"name":"in","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}],)"
      R"("parameters":{"binary_data_output":true}})";
  const std::string tensor(8, '\x01');
  HttpClient client = Connect();
  const std::string length = "Inference-Header-Content-Length: " + std::to_string(json_part.size()) + "\r\n";
  const HttpAnswer plain = client.Post(kInfer, json_part + tensor, length);
  ASSERT_EQ(plain.status, 200) << plain.body;
  EXPECT_FALSE(plain.fields.contains("content-encoding"));
  const HttpAnswer answer =
      client.Post(kInfer, Gzip(json_part + tensor), length + "Content-Encoding: gzip\r\nAccept-Encoding: deflate\r\n");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.fields.at("content-encoding"), "deflate");
  EXPECT_EQ(answer.fields.at("inference-header-content-length"), plain.fields.at("inference-header-content-length"));
  std::string inflated(plain.body.size(), 0);
  const auto compressed = std::as_bytes(std::span(answer.body));
  ASSERT_EQ(InflatedSize(HttpCoding::kDeflate, compressed, 1024).value(), plain.body.size());
  ASSERT_TRUE(Inflate(HttpCoding::kDeflate, compressed, std::as_writable_bytes(std::span(inflated))).ok());
  EXPECT_EQ(inflated, plain.body);
  const HttpAnswer refused = client.Post(kInfer, "{}", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(refused.status, 400);
  EXPECT_FALSE(refused.fields.contains("content-encoding")) << "errors can be read as they are";
}

} // namespace
} // namespace avocet

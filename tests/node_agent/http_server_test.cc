// The REST endpoint over a real loopback socket: the routes of the protocol and its errors.
#include "node_agent/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "node_agent/http_coding.h"
#include "tests/node_agent/http_server_fixture.h"

namespace avocet::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json Parse(const HttpAnswer& answer) {
  return json::parse(answer.body, nullptr, false);
}

std::string ErrorOf(const HttpAnswer& answer) {
  const json body = Parse(answer);
  EXPECT_TRUE(body.is_object() && body.contains("error")) << answer.status << ' ' << answer.body;
  return body.is_object() ? body.value("error", "") : "";
}

TEST_F(HttpServerTest, HealthHasACodeAndABody) {
  for (const auto& [path, body] :
       {std::pair{"/v2/health/live", R"({"live":true})"}, {"/v2/health/ready", R"({"ready":true})"}}) {
    const HttpAnswer answer = Get(path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, body);
    EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  }
  core_->SetReady(false);
  const HttpAnswer answer = Get("/v2/health/ready");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, R"({"ready":false})");
}

TEST_F(HttpServerTest, HeadIsAnsweredWithoutABody) {
  HttpClient client = Connect();
  for (const auto& [path, status] :
       {std::pair{"/v2/health/live", "200 OK"}, {"/v2/models/nobody", "404 Not Found"}, {"/v2", "200 OK"}}) {
    client.Send("HEAD " + std::string(path) + " HTTP/1.1\r\n\r\nGET /v2/health/ready HTTP/1.1\r\n\r\n");
    const std::string head = client.ReceiveHead();
    EXPECT_THAT(head, HasSubstr(status)) << path;
    EXPECT_THAT(head, HasSubstr("Content-Length: " + std::to_string(Get(path).body.size()))) << path;
    EXPECT_EQ(client.Receive().body, R"({"ready":true})") << "what follows the head is the next answer";
  }
}

TEST_F(HttpServerTest, ServerMetadataUnderBothSpellings) {
  for (const char* path : {"/v2", "/v2/"}) {
    const HttpAnswer answer = Get(path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(Parse(answer), json::parse(R"({"name":"avocet","version":"1.2.3","extensions":["binary_tensor_data",
      "classification","model_configuration","model_repository","parameters","schedule_policy","statistics"]})"));
  }
}

TEST_F(HttpServerTest, ModelsWithAndWithoutAVersion) {
  for (const char* model : {"/v2/models/app-a", "/v2/models/app-a/versions/1", "/v2/models/app%2Da?verbose=1"}) {
    const HttpAnswer answer = Get(model);
    EXPECT_EQ(answer.status, 200) << model;
    EXPECT_EQ(Parse(answer), json::parse(R"({"name":"app-a","versions":["1"],"platform":"avocet_tflite",
      "inputs":[{"name":"in","datatype":"FP32","shape":[2]}],"outputs":[{"name":"out","datatype":"FP32","shape":[2]}],
      "properties":{"model":"a:1","device":"n1/dev0"}})"));
  }
  for (const char* ready : {"/v2/models/app-a/ready", "/v2/models/app-a/versions/1/ready"})
    EXPECT_EQ(Get(ready).body, R"({"name":"app-a","ready":true})");
  EXPECT_EQ(Parse(Get("/v2/models/app-b"))["properties"]["emulated"], "true");
}

TEST_F(HttpServerTest, ModelConfigKeepsShapesWhole) {
  const json config = Parse(Get("/v2/models/app-a/config"));
  EXPECT_EQ(config["name"], "app-a");
  EXPECT_EQ(config["max_batch_size"], 0);
  EXPECT_EQ(config["input"], json::parse(R"([{"name":"in","data_type":"TYPE_FP32","dims":[2]}])"));
  EXPECT_EQ(config["output"], json::parse(R"([{"name":"out","data_type":"TYPE_FP32","dims":[2]}])"));
  EXPECT_FALSE(config.contains("dynamic_batching"));
  EXPECT_FALSE(config.contains("sequence_batching"));
}

TEST_F(HttpServerTest, ShortRunsAreAnsweredByTheThreadThatReadThem) {
  short_run_ = std::chrono::hours(1);
  Start({});
  HttpClient client = Connect();
  for (int i = 0; i < 20; ++i) {
    const HttpAnswer answer = client.Post(kInfer, GoodJson());
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(Parse(answer)["outputs"][0]["data"], json::parse("[1.0,2.0]"));
  }
  device_->control->Behave(kModelA, {.run = Internal("broken")});
  EXPECT_EQ(client.Post(kInfer, GoodJson()).status, 500);
  const json statistics = Parse(Get("/v2/models/app-a/stats"))["model_stats"][0];
  EXPECT_EQ(statistics["inference_count"], 20);
  EXPECT_EQ(statistics["inference_stats"]["fail"]["count"], 1);
}

TEST_F(HttpServerTest, StatisticsOfOneAndOfAll) {
  ASSERT_EQ(Post(kInfer, GoodJson()).status, 200);
  ASSERT_EQ(Post(kInfer, "{}").status, 400);
  const json one = Parse(Get("/v2/models/app-a/stats"));
  ASSERT_EQ(one["model_stats"].size(), 1u);
  const json& model = one["model_stats"][0];
  EXPECT_EQ(model["name"], "app-a");
  EXPECT_EQ(model["version"], "1");
  EXPECT_EQ(model["inference_count"], 1);
  EXPECT_EQ(model["execution_count"], 1);
  const json& sections = model["inference_stats"];
  ASSERT_EQ(sections.size(), 8u);
  for (const char* name : {"success", "queue", "compute_input", "compute_infer", "compute_output", "fail"}) {
    EXPECT_EQ(sections[name]["count"], 1) << name;
    EXPECT_TRUE(sections[name]["ns"].is_number_unsigned()) << name;
  }
  EXPECT_EQ(sections["cache_hit"], sections["cache_miss"]);
  EXPECT_EQ(Parse(Get("/v2/models/stats"))["model_stats"].size(), 2u);
  EXPECT_EQ(Get("/v2/models/nobody/stats").status, 404);
}

TEST_F(HttpServerTest, TheRepositoryIndexIsABareArray) {
  EXPECT_EQ(Parse(Post("/v2/repository/index", "")),
            json::parse(R"([{"name":"app-a","version":"1","state":"READY","reason":""},
                            {"name":"app-b","version":"1","state":"READY","reason":""}])"));
  for (const char* verb : {"load", "unload"}) {
    const HttpAnswer answer = Post(std::string("/v2/repository/models/app-a/") + verb, "");
    EXPECT_EQ(answer.status, 501);
    EXPECT_THAT(ErrorOf(answer), HasSubstr("avocet app apply"));
  }
}

TEST_F(HttpServerTest, MetricsHaveAPortOfTheirOwn) {
  HttpClient client(server_->metrics_address());
  const HttpAnswer answer = client.Get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "connections 1\n");
  EXPECT_THAT(answer.fields.at("content-type"), HasSubstr("text/plain"));
  EXPECT_EQ(client.Get("/v2").status, 404);
  EXPECT_EQ(Get("/metrics").status, 404);
}

// Inference

TEST_F(HttpServerTest, InfersFromJson) {
  const HttpAnswer answer = Post(kInfer, GoodJson());
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  EXPECT_EQ(answer.fields.count("inference-header-content-length"), 0u);
  EXPECT_EQ(Parse(answer), json::parse(R"({"model_name":"app-a","model_version":"1","id":"7",
    "outputs":[{"name":"out","datatype":"FP32","shape":[2],"data":[1.0,2.0]}]})"));
}

std::string Gzip(std::string_view text) {
  const std::span<const std::byte> part = std::as_bytes(std::span(text));
  return Deflate(HttpCoding::kGzip, {&part, 1}).value();
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

struct BadRequest {
  const char* name;
  std::string bytes;
  int status;
  const char* text;
};
void PrintTo(const BadRequest& request, std::ostream* out) {
  *out << request.name;
}

class HttpServerErrors : public HttpServerTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(HttpServerErrors, AreNamed) {
  HttpClient client = Connect();
  const HttpAnswer answer = client.Ask(GetParam().bytes);
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_THAT(ErrorOf(answer), HasSubstr(GetParam().text));
  EXPECT_TRUE(device_->Runs().empty());
  EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
}

std::string Infer(const std::string& body, const std::string& fields = {}) {
  return HttpClient::PostText("/v2/models/app-a/infer", body, fields);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, HttpServerErrors,
    testing::Values(
        BadRequest{"unknown path", "GET /v3 HTTP/1.1\r\n\r\n", 404, "there is no '/v3'"},
        BadRequest{"wrong verb", "POST /v2 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405, "Method Not Allowed"},
        BadRequest{"verb of infer", "GET /v2/models/app-a/infer HTTP/1.1\r\n\r\n", 405, "Method Not Allowed"},
        BadRequest{"shared memory", "GET /v2/systemsharedmemory/status HTTP/1.1\r\n\r\n", 501, "not served"},
        BadRequest{"bad encoding", "GET /v2/models/%zz HTTP/1.1\r\n\r\n", 400, "percent"},
        BadRequest{"unknown application", HttpClient::PostText("/v2/models/nobody/infer", "{}"), 404,
                   "application 'nobody' is not served here"},
        BadRequest{"other version", HttpClient::PostText("/v2/models/app-a/versions/9/infer", "{}"), 404,
                   "runs version 1 of its model, not 9"},
        BadRequest{"no JSON", Infer("nonsense"), 400, "not valid JSON at byte"},
        BadRequest{"empty body", Infer(""), 400, "not valid JSON"},
        BadRequest{"missing input", Infer("{}"), 400, "input 'in' is missing"},
        BadRequest{"wrong datatype", Infer(R"({"inputs":[{"name":"in","shape":[2],"datatype":"INT32","data":[1,2]}]})"),
                   400, "the model takes FP32[2]"},
        BadRequest{"short data", Infer(R"({"inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[1]}]})"), 400,
                   "has 1 elements"},
        BadRequest{"unknown output",
                   Infer(R"({"inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[1,2]}],)"
                         R"("outputs":[{"name":"nothing"}]})"),
                   400, "'nothing' is unknown; the model has 'out'"},
        BadRequest{"empty chunked body",
                   "POST /v2/models/app-a/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                   "not valid JSON"},
        BadRequest{"no chunk", "POST /v2/models/app-a/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n", 400,
                   "malformed HTTP"},
        BadRequest{"chunk beyond the bound",
                   "POST /v2/models/app-a/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4000001\r\n", 413,
                   "the body is longer than"},
        BadRequest{"transfer coding",
                   "POST /v2/models/app-a/infer HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501,
                   "must be chunked"},
        BadRequest{"unknown coding", Infer("{}", "Content-Encoding: br\r\n"), 415, "gzip, deflate or identity"},
        BadRequest{"not compressed", Infer("{}", "Content-Encoding: gzip\r\n"), 400, "the body is not gzip"},
        BadRequest{"header length beyond the decompressed body",
                   Infer(Gzip("{}"), "Content-Encoding: gzip\r\nInference-Header-Content-Length: 3\r\n"), 400,
                   "up to the body's length"},
        BadRequest{"a bomb", Infer(Gzip(std::string(65 << 20, ' ')), "Content-Encoding: gzip\r\n"), 413,
                   "bytes when it is decompressed"},
        BadRequest{"header length beyond the body", Infer("{}", "Inference-Header-Content-Length: 3\r\n"), 400,
                   "up to the body's length"},
        BadRequest{"header length that is none", Infer("{}", "Inference-Header-Content-Length: 2x\r\n"), 400,
                   "must be a number"},
        BadRequest{"garbage", "\x16\x03\x01 what is this\r\n\r\n", 400, "malformed HTTP"},
        BadRequest{"body beyond the bound",
                   "POST /v2/models/app-a/infer HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413,
                   "the body is longer than"},
        BadRequest{"endless header", "GET /v2 HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431,
                   "the header is longer than"}));

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

// Start

std::shared_ptr<InferenceCore> EmptyCore() {
  return std::make_shared<InferenceCore>(InferenceCoreOptions(), std::make_shared<Router>());
}

Status StartStatus(const HttpServerOptions& options) {
  return HttpServer::Start(options, EmptyCore(), [](const HttpCounters&) { return std::string(); }).status();
}

TEST_F(HttpServerTest, APortInUseIsUnavailable) {
  HttpServerOptions options;
  options.metrics_address = "";
  options.rest_address = server_->rest_address();
  EXPECT_EQ(StartStatus(options).code(), StatusCode::kUnavailable);
}

TEST(HttpServer, ServesBeyondLoopbackOnlyWhenToldSo) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "10.0.0.1:0", "example.org:0", ":0", "127.0.0.1"}) {
    HttpServerOptions options;
    options.rest_address = address;
    options.metrics_address = "";
    EXPECT_EQ(StartStatus(options).code(), StatusCode::kInvalidArgument) << address;
  }
  HttpServerOptions options;
  options.rest_address = "0.0.0.0:0";
  options.metrics_address = "";
  options.plaintext = true;
  EXPECT_TRUE(StartStatus(options).ok());
}

TEST(HttpServer, RefusesWrongOptions) {
  for (const unsigned threads : {0U, 65U}) {
    HttpServerOptions options;
    options.threads = threads;
    EXPECT_EQ(StartStatus(options).code(), StatusCode::kInvalidArgument);
  }
  HttpServerOptions options;
  options.tls = ServerCertificate{"/nonexistent/cert.pem", "/nonexistent/key.pem"};
  EXPECT_THAT(StartStatus(options).message(), HasSubstr("/nonexistent/cert.pem"));
}

} // namespace
} // namespace avocet::test

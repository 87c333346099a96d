// The REST endpoint over a real loopback socket: the routes of the protocol and its errors.
#include "node_agent/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/node_agent/http/http_server_fixture.h"

namespace avocet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

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
  EXPECT_EQ(config["input"], json::parse(R"([{"name":"in","data_type":"TYPE_FP32","format":"FORMAT_NONE","dims":[2],)"
                                         R"("is_shape_tensor":false,"allow_ragged_batch":false,"optional":false}])"));
  EXPECT_EQ(config["output"], json::parse(R"([{"name":"out","data_type":"TYPE_FP32","dims":[2],"label_filename":"",)"
                                          R"("is_shape_tensor":false}])"));
  // What protobuf clients see as defaults is written out for clients of JSON.
  for (const char* field : {"platform", "backend", "version_policy", "instance_group", "default_model_filename",
                            "parameters", "batch_input", "batch_output", "model_warmup"})
    EXPECT_TRUE(config.contains(field)) << field;
  EXPECT_EQ(config["instance_group"][0]["gpus"], json::array());
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

// Examples of Triton's client unregister everything before they begin.
TEST_F(HttpServerTest, NoSharedMemoryIsRegisteredAndAllOfItCanBeUnregistered) {
  for (const std::string kind : {"system", "cuda"}) {
    const std::string path = "/v2/" + kind + "sharedmemory/";
    const HttpAnswer status = Get(path + "status");
    EXPECT_EQ(status.status, 200);
    EXPECT_EQ(status.body, "[]");
    EXPECT_EQ(Post(path + "unregister", "").status, 200);
    EXPECT_EQ(Post(path + "region/r/unregister", "").status, 200);
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
        BadRequest{"shared memory", HttpClient::PostText("/v2/systemsharedmemory/region/r/register", "{}"), 501,
                   "not served"},
        BadRequest{"a region that is not there", "GET /v2/cudasharedmemory/region/r/status HTTP/1.1\r\n\r\n", 404,
                   "no shared memory region"},
        BadRequest{"bad encoding", "GET /v2/models/%zz HTTP/1.1\r\n\r\n", 400, "percent"},
        BadRequest{"unknown application", HttpClient::PostText("/v2/models/nobody/infer", "{}"), 404,
                   "Request for unknown model: 'nobody' is not found"},
        BadRequest{"other version", HttpClient::PostText("/v2/models/app-a/versions/9/infer", "{}"), 404,
                   "version 9 is not found; the application runs version 1"},
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
  EXPECT_THAT(StartStatus(options).message(), HasSubstr("/nonexistent/"));
}

} // namespace
} // namespace avocet

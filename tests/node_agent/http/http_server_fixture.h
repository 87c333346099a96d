#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "node_agent/http/http_server.h"
#include "node_agent/inference/http_coding.h"
#include "tests/node_agent/http/http_client.h"
#include "tests/node_agent/scheduling/served_device_fixture.h"

namespace avocet {

inline nlohmann::json Parse(const HttpAnswer& answer) {
  return nlohmann::json::parse(answer.body, nullptr, false);
}

/// The text of an answer that is an error.
inline std::string ErrorOf(const HttpAnswer& answer) {
  const nlohmann::json body = Parse(answer);
  EXPECT_TRUE(body.is_object() && body.contains("error")) << answer.status << ' ' << answer.body;
  return body.is_object() ? body.value("error", "") : "";
}

inline std::string Gzip(std::string_view text) {
  const std::span<const std::byte> part = std::as_bytes(std::span(text));
  return Deflate(HttpCoding::kGzip, {&part, 1}).value();
}

/// A REST server in front of app-a and app-b.
class HttpServerTest : public ServedDeviceTest {
protected:
  void SetUp() override { Start({}); }

  void Start(HttpServerOptions options, SchedulerOptions scheduler = {}, InferenceCoreOptions core = {}) {
    server_.reset();
    Serve(scheduler, core);
    core_->SetReady(true);
    options.rest_address = options.metrics_address = "127.0.0.1:0";
    auto server = HttpServer::Start(options, core_, [](const HttpCounters& counters) {
      return "connections " + std::to_string(counters.connections) + "\n";
    });
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
  }

  HttpClient Connect() const { return HttpClient(server_->rest_address()); }
  HttpAnswer Get(const std::string& path) const { return Connect().Get(path); }
  HttpAnswer Post(const std::string& path, std::string_view body, const std::string& fields = {}) const {
    return Connect().Post(path, body, fields);
  }

  /// One request of app-a in JSON: 1, 2.
  static std::string GoodJson() {
    return R"({"id":"7","inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[1,2]}]})";
  }
  static constexpr const char* kInfer = "/v2/models/app-a/infer";

  std::unique_ptr<HttpServer> server_;
};

} // namespace avocet

// Connections of the REST endpoint: what slow, rude and vanishing clients can and cannot do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/tcp.h>

#include <atomic>

#include "tests/node_agent/http/http_server_fixture.h"
#include "tests/support/process.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class HttpConnectionTest : public HttpServerTest {
protected:
  /// A request to it with raw bytes, which wants such back.
  static std::string LargeRequest(std::string_view bytes) {
    const std::string size = std::to_string(bytes.size());
    const std::string header = R"({"inputs":[{"name":"in","shape":[)" + size +
                               R"(],"datatype":"UINT8","parameters":{"binary_data_size":)" + size +
                               R"(}}],"parameters":{"binary_data_output":true}})";
    return HttpClient::PostText("/v2/models/large/infer", header + std::string(bytes),
                                "Inference-Header-Content-Length: " + std::to_string(header.size()) + "\r\n");
  }
};

TEST_F(HttpConnectionTest, KeepsAliveUntilTheClientWantsToClose) {
  HttpClient client = Connect();
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(client.Post(kInfer, GoodJson()).status, 200);
  const HttpAnswer last = client.Ask("GET /v2 HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.fields.at("connection"), "close");
  EXPECT_TRUE(client.AwaitClosed());
}

TEST_F(HttpConnectionTest, Http10ClosesUnlessAskedNotTo) {
  HttpClient client = Connect();
  EXPECT_EQ(client.Ask("GET /v2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").fields.at("connection"), "keep-alive");
  EXPECT_EQ(client.Ask("GET /v2 HTTP/1.0\r\n\r\n").fields.at("connection"), "close");
  EXPECT_TRUE(client.AwaitClosed());
}

TEST_F(HttpConnectionTest, PipelinedRequestsAreAnsweredInOrder) {
  HttpClient client = Connect();
  std::string all;
  for (int i = 0; i < 20; ++i)
    all += HttpClient::PostText(kInfer, GoodJson()) + "GET /v2/health/live HTTP/1.1\r\n\r\n";
  client.Send(all);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(client.Receive().body, HasSubstr("app-a"));
    EXPECT_THAT(client.Receive().body, HasSubstr("live"));
  }
}

TEST_F(HttpConnectionTest, RequestsMayComeByteByByte) {
  HttpClient client = Connect();
  const std::string request = HttpClient::PostText(kInfer, GoodJson());
  for (const char byte : request)
    ASSERT_TRUE(client.Send({&byte, 1}));
  EXPECT_EQ(client.Receive().status, 200);
}

// The trap: header and body in two writes with Nagle's algorithm on cost real clients 40 ms each.
TEST_F(HttpConnectionTest, AnswersComeInOneWriteAndWithoutDelay) {
  HttpClient client = Connect();
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(client.Post(kInfer, GoodJson()).status, 200);
  EXPECT_EQ(client.reads().size(), 20u) << "an answer came in pieces";
}

TEST_F(HttpConnectionTest, ChunkedAndOtherRequestsFollowOneAnother) {
  HttpClient client = Connect();
  std::string all;
  for (size_t i = 1; i <= 20; ++i)
    all += HttpClient::ChunkedText(kInfer, GoodJson(), i) + HttpClient::PostText(kInfer, GoodJson()) +
           "GET /v2/health/live HTTP/1.1\r\n\r\n";
  client.Send(all);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(client.Receive().body, HasSubstr("[1,2]"));
    EXPECT_THAT(client.Receive().body, HasSubstr("[1,2]"));
    EXPECT_THAT(client.Receive().body, HasSubstr("live"));
  }
  client.Close();
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections == 0; }, kPatience));
  EXPECT_EQ(core_->budget().used(), 0u);
}

TEST_F(HttpConnectionTest, LargeChunkedBodiesArriveWhole) {
  ServeLarge(DataType::kUint8);
  std::string bytes(8 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 2654435761u >> 24);
  const std::string plain = LargeRequest(bytes);
  const size_t head = plain.find("\r\n\r\n") + 4;
  const std::string json_bytes = std::to_string(plain.size() - head - bytes.size());
  const HttpAnswer answer =
      Connect().Ask(HttpClient::ChunkedText("/v2/models/large/infer", std::string_view(plain).substr(head), 300'000,
                                            "Inference-Header-Content-Length: " + json_bytes + "\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(std::string_view(answer.body).ends_with(bytes));
}

TEST_F(HttpConnectionTest, AChunkedBodyBeyondTheBoundIsRefusedBeforeItCame) {
  HttpServerOptions options;
  options.limits.max_body_bytes = 100;
  Start(options);
  HttpClient client = Connect();
  client.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n");
  client.Send(std::string(50, 'x') + "\r\n33\r\n");
  EXPECT_EQ(client.Receive().status, 413);
  EXPECT_TRUE(client.AwaitClosed());
}

TEST_F(HttpConnectionTest, ChunkedClientsAreToldToContinueToo) {
  HttpClient client = Connect();
  const std::string request = HttpClient::ChunkedText(kInfer, GoodJson(), 10, "Expect: 100-continue\r\n");
  const size_t head = request.find("\r\n\r\n") + 4;
  EXPECT_EQ(client.Ask(std::string_view(request).substr(0, head)).status, 100);
  EXPECT_EQ(client.Ask(std::string_view(request).substr(head)).status, 200);
}

TEST_F(HttpConnectionTest, WaitingClientsAreToldToContinue) {
  HttpClient client = Connect();
  client.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(GoodJson().size()) + "\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 100);
  EXPECT_EQ(client.Ask(GoodJson()).status, 200);
}

TEST_F(HttpConnectionTest, SlowHeadersAndSlowBodiesAreCutOff) {
  HttpServerOptions options;
  options.limits.idle_deadline = options.limits.body_deadline = milliseconds(50);
  Start(options);
  HttpClient idle = Connect(), header = Connect(), body = Connect(), chunks = Connect();
  header.Send("GET /v2 HTTP/1.1\r\nX-Slow: ");
  body.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nContent-Length: 100\r\n\r\nx");
  chunks.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx");
  EXPECT_TRUE(idle.AwaitClosed());
  EXPECT_TRUE(chunks.AwaitClosed());
  EXPECT_TRUE(header.AwaitClosed());
  EXPECT_TRUE(body.AwaitClosed());
  EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
}

TEST_F(HttpConnectionTest, ClientsThatDoNotReadTheirAnswersAreCutOff) {
  HttpServerOptions options;
  options.limits.write_deadline = milliseconds(100);
  Start(options);
  ServeLarge(DataType::kUint8);
  HttpClient client = Connect();
  ASSERT_TRUE(client.Send(LargeRequest(std::string(32 << 20, 'x')))); // more than two sockets' buffers hold
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections == 0; }, kPatience));
  EXPECT_EQ(core_->budget().used(), 0u);
}

TEST_F(HttpConnectionTest, AnswersThatTheKernelTakesInPiecesArriveWhole) {
  ServeLarge(DataType::kUint8);
  std::string bytes(32 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 2654435761u >> 24);
  const HttpAnswer answer = Connect().Ask(LargeRequest(bytes));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(std::string_view(answer.body).ends_with(bytes));
}

// What comes while a request runs is neither lost nor taken for the end of the client.
TEST_F(HttpConnectionTest, TheNextRequestMayComeInPiecesWhileOneRuns) {
  device_->control->Hold();
  HttpClient client = Connect();
  const std::string request = HttpClient::PostText(kInfer, GoodJson());
  client.Send(request);
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  client.Send(std::string_view(request).substr(0, 20));
  client.Send(std::string_view(request).substr(20, 60));
  device_->control->LetAllGo();
  EXPECT_EQ(client.Receive().status, 200);
  client.Send(std::string_view(request).substr(80));
  EXPECT_EQ(client.Receive().status, 200);
}

TEST_F(HttpConnectionTest, ASlowClientBlocksNobody) {
  HttpServerOptions options;
  options.threads = 1;
  Start(options);
  HttpClient slow = Connect();
  slow.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nContent-Length: 100000\r\n\r\nx");
  HttpClient quick = Connect();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(quick.Post(kInfer, GoodJson()).status, 200);
}

TEST_F(HttpConnectionTest, AHeadThatIsBegunMustBeCompleteSoon) {
  HttpServerOptions options;
  options.limits.head_deadline = milliseconds(50);
  Start(options);
  HttpClient silent = Connect(), used = Connect();
  ASSERT_EQ(used.Get("/v2").status, 200); // idle from here on, for which the time is long
  EXPECT_TRUE(silent.AwaitClosed());
  used.Send("GET /v2 HTTP/1.1\r\nX-Slow: ");
  EXPECT_TRUE(used.AwaitClosed());
  EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
}

TEST_F(HttpConnectionTest, AClientThatLeavesFreesItsPlaceInTheQueue) {
  SchedulerOptions scheduler;
  scheduler.max_queued = 1;
  Start({}, scheduler);
  device_->control->Hold();
  HttpClient running = Connect();
  running.Send(HttpClient::PostText(kInfer, GoodJson()));
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  {
    HttpClient leaves = Connect();
    leaves.Send(HttpClient::PostText(kInfer, GoodJson()));
    ASSERT_TRUE(AwaitArrivals(2));
  }
  EXPECT_TRUE(Eventually([&] { return device_->Submit(kAppB, "next").ok(); }, kPatience));
  device_->control->LetAllGo();
  EXPECT_EQ(running.Receive().status, 200);
  EXPECT_TRUE(Eventually([&] { return core_->Statistics("app-a", "").value()[0].totals.pending == 0; }, kPatience));
}

TEST_F(HttpConnectionTest, AClientThatLeavesDuringTheRunHarmsNobody) {
  device_->control->Hold();
  {
    HttpClient leaves = Connect();
    leaves.Send(HttpClient::PostText(kInfer, GoodJson()));
    ASSERT_TRUE(device_->control->AwaitHeld(1));
  }
  device_->control->LetAllGo();
  EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
}

TEST_F(HttpConnectionTest, RudeClientsHarmNobody) {
  for (int i = 0; i < 200; ++i) {
    HttpClient client = Connect();
    const std::string request = HttpClient::PostText(kInfer, GoodJson());
    client.Send(std::string_view(request).substr(0, request.size() * static_cast<size_t>(i) / 200));
    if (i % 2 == 0) client.ShutdownWrite();
  }
  EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections == 0; }, kPatience));
  EXPECT_EQ(core_->budget().used(), 0u);
}

TEST_F(HttpConnectionTest, ManyClientsAtOnceAllGetTheirOwnAnswers) {
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      HttpClient client(server_->rest_address());
      for (int i = 0; i < 100; ++i) {
        const std::string id = std::to_string(c) + "/" + std::to_string(i);
        const std::string body = R"({"id":")" + id +
                                 R"(","inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[)" +
                                 std::to_string(c) + "," + std::to_string(i) + "]}]}";
        const HttpAnswer answer = client.Post(i % 2 == 0 ? "/v2/models/app-a/infer" : "/v2/models/app-b/infer", body);
        const std::string data = R"("data":[)" + std::to_string(c);
        const bool is_mine =
            answer.body.find('"' + id + '"') != std::string::npos && answer.body.find(data) != std::string::npos;
        if (answer.status == 200 && is_mine) ++good;
      }
    });
  }
  for (std::thread& client : clients)
    client.join();
  EXPECT_EQ(good, 800);
}

TEST_F(HttpConnectionTest, LargeJsonIsDecodedAndEncodedAsideAndRight) {
  ServeLarge(DataType::kFp32);
  std::string data;
  for (int i = 0; i < 50'000; ++i)
    data += (i > 0 ? "," : "") + std::to_string(i) + ".5";
  const HttpAnswer answer =
      Post("/v2/models/large/infer", R"({"inputs":[{"name":"in","shape":[50000],"datatype":"FP32",)"
                                     R"("data":[)" +
                                         data + "]}]}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("\"data\":[" + data + "]"), std::string::npos);
}

// Stop

TEST_F(HttpConnectionTest, StopClosesIdleConnectionsAndLetsRequestsFinish) {
  HttpClient idle = Connect(), busy = Connect();
  ASSERT_EQ(idle.Get("/v2").status, 200);
  device_->control->Hold();
  busy.Send(HttpClient::PostText(kInfer, GoodJson()));
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  std::thread stopping([this] { server_->Stop(); });
  EXPECT_TRUE(idle.AwaitClosed());
  device_->control->LetAllGo();
  const HttpAnswer answer = busy.Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("connection"), "close");
  busy.Close();
  stopping.join();
  EXPECT_EQ(Get("/v2").status, 0);
}

TEST_F(HttpConnectionTest, StopGivesUpAtItsDeadline) {
  HttpServerOptions options;
  options.drain_deadline = milliseconds(50);
  Start(options);
  device_->control->Hold();
  HttpClient running = Connect(), queued = Connect(), half = Connect();
  running.Send(HttpClient::PostText(kInfer, GoodJson()));
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  queued.Send(HttpClient::PostText(kInfer, GoodJson()));
  ASSERT_TRUE(AwaitArrivals(2));
  half.Send("POST /v2/models/app-a/infer HTTP/1.1\r\nContent-Length: 100\r\n\r\nx");
  std::thread stopping([this] { server_->Stop(); });
  EXPECT_EQ(queued.Receive().status, 0); // although the run is still held
  EXPECT_EQ(half.Receive().status, 0);
  device_->control->LetAllGo();
  stopping.join();
  EXPECT_EQ(core_->Statistics("app-a", "").value()[0].totals.pending, 0u);
}

TEST_F(HttpConnectionTest, StopTwiceIsFine) {
  server_->Stop();
  server_->Stop();
}

} // namespace
} // namespace avocet

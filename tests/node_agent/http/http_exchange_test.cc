// One request and its answer without a socket: which step follows which, and what is left to send.
#include "node_agent/http/http_exchange.h"

#include <algorithm>
#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node_agent/scheduling/served_device_fixture.h"

namespace avocet {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using Step = HttpExchange::Step;

constexpr std::string_view kJson =
    R"({"inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"out"}]})";

class HttpExchangeTest : public ServedDeviceTest {
protected:
  void SetUp() override {
    Serve({}, {});
    shared_.core = core_;
    shared_.metrics = [](const HttpCounters&) { return std::string("the page"); };
    exchange_ = std::make_unique<HttpExchange>(shared_, HttpSurface::kInference);
    exchange_->Begin();
  }

  void Receive(std::string_view bytes) {
    auto& incoming = exchange_->incoming();
    std::memcpy(incoming.prepare(bytes.size()).data(), bytes.data(), bytes.size());
    incoming.commit(bytes.size());
  }
  Step TakeHead() { return exchange_->TakeHead(true, ""); }

  static std::string Post(std::string_view body, const std::string& fields = {}) {
    return "POST /v2/models/app-a/infer HTTP/1.1\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n";
  }

  /// Computes, and runs on the device, until there is something to send.
  Step Finish(Step step) {
    while (step == Step::kCompute || step == Step::kRun) {
      if (step == Step::kCompute) {
        exchange_->Compute();
        step = exchange_->AfterCompute();
        continue;
      }
      std::promise<void> notified;
      step = exchange_->Run([&notified] { notified.set_value(); });
      if (step != Step::kWait) continue;
      if (notified.get_future().wait_for(kPatience) != std::future_status::ready) return step;
      step = exchange_->AfterRun();
    }
    return step;
  }

  std::string Unsent() {
    std::string all;
    for (const auto& buffer : exchange_->unsent())
      all.append(static_cast<const char*>(buffer.data()), buffer.size());
    return all;
  }

  HttpShared shared_;
  std::unique_ptr<HttpExchange> exchange_;
};

TEST_F(HttpExchangeTest, WaitsForTheWholeHead) {
  Receive("GET /v2/health/live HT");
  EXPECT_EQ(TakeHead(), Step::kReadHead);
  Receive("TP/1.1\r\n\r\nGET ");
  ASSERT_EQ(TakeHead(), Step::kSend);
  EXPECT_THAT(Unsent(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(Unsent(), EndsWith(R"({"live":true})"));
  EXPECT_TRUE(exchange_->keeps_alive());
  EXPECT_EQ(exchange_->incoming().size(), 4u) << "the next request stays";
}

TEST_F(HttpExchangeTest, ReadsABodyInPiecesThenRuns) {
  Receive(Post(kJson) + std::string(kJson.substr(0, 10)));
  ASSERT_EQ(TakeHead(), Step::kReadBody);
  ASSERT_FALSE(exchange_->is_chunked());
  const auto missing = exchange_->missing();
  ASSERT_EQ(missing.size(), kJson.size() - 10);
  std::memcpy(missing.data(), kJson.data() + 10, missing.size());
  ASSERT_EQ(exchange_->TakeBody(1), Step::kReadBody);
  ASSERT_EQ(Finish(exchange_->TakeBody(missing.size() - 1)), Step::kSend);
  EXPECT_THAT(Unsent(), HasSubstr(R"("data":[1,2])"));
  exchange_->Release();
  EXPECT_EQ(core_->budget().used(), 0u);
}

TEST_F(HttpExchangeTest, ReadsChunksFromWhatCame) {
  Receive("POST /v2/models/app-a/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_EQ(TakeHead(), Step::kReadBody);
  ASSERT_TRUE(exchange_->is_chunked());
  Receive("60\r\n");
  ASSERT_EQ(exchange_->TakeChunks(), Step::kReadBody);
  static_assert(kJson.size() == 0x60);
  Receive(std::string(kJson) + "\r\n0\r\n\r\n");
  ASSERT_EQ(Finish(exchange_->TakeChunks()), Step::kSend);
  EXPECT_THAT(Unsent(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpExchangeTest, AsksForTheBodyOnlyOfAClientThatWaits) {
  Receive(Post(kJson, "Expect: 100-continue\r\n"));
  EXPECT_EQ(TakeHead(), Step::kWriteContinue);
  exchange_->Release();
  exchange_->Begin();
  Receive(Post(kJson, "Expect: 100-continue\r\n") + std::string(kJson));
  EXPECT_EQ(Finish(TakeHead()), Step::kSend) << "the body is there";
}

TEST_F(HttpExchangeTest, WithoutASeatTheFirstRequestIsRefused) {
  Receive("GET /v2 HTTP/1.1\r\n\r\n");
  ASSERT_EQ(exchange_->TakeHead(false, "all places are taken"), Step::kSend);
  EXPECT_THAT(Unsent(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Unsent(), HasSubstr("all places are taken; retry"));
  EXPECT_FALSE(exchange_->keeps_alive());
}

TEST_F(HttpExchangeTest, TheLastAnswerBeforeAStopSaysSo) {
  shared_.is_draining = true;
  Receive("GET /v2 HTTP/1.1\r\n\r\n");
  ASSERT_EQ(TakeHead(), Step::kSend);
  EXPECT_THAT(Unsent(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_FALSE(exchange_->keeps_alive());
}

TEST_F(HttpExchangeTest, ABodyBeyondTheBudgetIsRefusedWhenItComes) {
  ByteBudget::Lease others(core_->budget());
  others.Grow(core_->budget().limit());
  Receive(Post(kJson) + "{");
  ASSERT_EQ(TakeHead(), Step::kSend);
  EXPECT_THAT(Unsent(), StartsWith("HTTP/1.1 503 "));
  EXPECT_FALSE(exchange_->keeps_alive()) << "the body still comes";
}

TEST_F(HttpExchangeTest, ALargeBodyThatLeadsNowhereIsRefusedUnread) {
  for (const auto& [request, status] :
       {std::pair{"POST /v2/models/nobody/infer", 404}, {"POST /v3/models", 404}, {"PUT /v2", 405}}) {
    HttpExchange exchange(shared_, HttpSurface::kInference);
    exchange.Begin();
    const std::string head = std::string(request) + " HTTP/1.1\r\nContent-Length: 67108864\r\n\r\n";
    std::memcpy(exchange.incoming().prepare(head.size()).data(), head.data(), head.size());
    exchange.incoming().commit(head.size());
    ASSERT_EQ(exchange.TakeHead(true, ""), Step::kSend) << request;
    EXPECT_FALSE(exchange.keeps_alive());
    const auto& text = exchange.unsent().front();
    EXPECT_THAT(std::string(static_cast<const char*>(text.data()), text.size()),
                StartsWith("HTTP/1.1 " + std::to_string(status)));
    exchange.Release();
  }
}

TEST_F(HttpExchangeTest, ASmallBodyThatLeadsNowhereIsReadSoThatTheConnectionGoesOn) {
  Receive("POST /v2/models/nobody/infer HTTP/1.1\r\nContent-Length: 3\r\n\r\n");
  ASSERT_EQ(TakeHead(), Step::kReadBody);
  std::memcpy(exchange_->missing().data(), "{ }", 3);
  ASSERT_EQ(Finish(exchange_->TakeBody(3)), Step::kSend);
  EXPECT_THAT(Unsent(), StartsWith("HTTP/1.1 404 "));
  EXPECT_TRUE(exchange_->keeps_alive());
}

TEST_F(HttpExchangeTest, BodiesCountForTheirClientAndTheirApplication) {
  const auto client = std::make_shared<BudgetShare>();
  HttpExchange exchange(shared_, HttpSurface::kInference, client);
  exchange.Begin();
  const std::string head = Post(kJson) + "{";
  std::memcpy(exchange.incoming().prepare(head.size()).data(), head.data(), head.size());
  exchange.incoming().commit(head.size());
  ASSERT_EQ(exchange.TakeHead(true, ""), Step::kReadBody);
  EXPECT_EQ(client->bytes(), 1u);
  EXPECT_EQ(router_->Find(kAppA).share->bytes(), 1u);
  exchange.Release();
  EXPECT_EQ(client->bytes() + router_->Find(kAppA).share->bytes(), 0u);
}

TEST_F(HttpExchangeTest, ThePageOfMetricsIsComputedAside) {
  HttpExchange metrics(shared_, HttpSurface::kMetrics);
  metrics.Begin();
  constexpr std::string_view kRequest = "GET /metrics HTTP/1.1\r\n\r\n";
  std::memcpy(metrics.incoming().prepare(kRequest.size()).data(), kRequest.data(), kRequest.size());
  metrics.incoming().commit(kRequest.size());
  ASSERT_EQ(metrics.TakeHead(true, ""), Step::kCompute);
  EXPECT_TRUE(metrics.is_long());
  metrics.Compute();
  EXPECT_EQ(metrics.AfterCompute(), Step::kSend);
}

TEST_F(HttpExchangeTest, AClientThatVanishesIsCounted) {
  Receive(Post(kJson) + std::string(kJson));
  ASSERT_EQ(TakeHead(), Step::kCompute);
  exchange_->Compute();
  exchange_->Abandon();
  exchange_->Release();
  EXPECT_TRUE(device_->Runs().empty());
  EXPECT_EQ(core_->Statistics("app-a", "").value().at(0).totals.fail.count, 1u);
}

} // namespace
} // namespace avocet

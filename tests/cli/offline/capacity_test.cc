#include "controller/planning/capacity.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/offline/capacity_file.h"
#include "cli/offline/cbc_solver.h"

namespace avocet {
namespace {

using ::testing::HasSubstr;

constexpr auto kSmall = R"(
[[device]]
name = "big"
kind = "cpu"
memory_mb = 1000
price = 300.0
most = 10
[[device]]
name = "small"
kind = "cpu"
memory_mb = 1000
price = 100.0
most = 10
[[model]]
name = "m"
[[model.profile]]
device = "big"
service_ms = 5.0
memory_mb = 100
[[model.profile]]
device = "small"
service_ms = 40.0
memory_mb = 100
[[app]]
name = "quick"
count = 3
model = "m"
rate_rps = 10.0
objective = { statistic = "mean", latency_ms = 20.0 }
[[app]]
name = "patient"
count = 2
model = "m"
rate_rps = 10.0
objective = { statistic = "mean", latency_ms = 200.0 }
)";

std::string With(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

CapacityFile Parsed(const std::string& text) {
  auto file = ParseCapacityFile(text, "c.toml");
  if (!file.ok()) throw std::runtime_error(file.status().message());
  return *std::move(file);
}

CapacityOptions WithCbc() {
  return {.solver = LoadCbc().value()};
}

std::string ErrorOf(const std::string& text) {
  const auto file = ParseCapacityFile(text, "c.toml");
  return file.ok() ? "no error" : file.status().message();
}

// One big device serves all five: 50 requests/s of 5 ms. Small ones cannot serve the quick applications at all, and
// taking the patient ones away from the big device would only cost more.
TEST(Capacity, FindsTheCheapestCluster) {
  const auto file = Parsed(kSmall);
  const auto purchase = FindCheapest(file.question, WithCbc());
  ASSERT_TRUE(purchase.ok()) << purchase.status().message();
  EXPECT_EQ(purchase->devices, (std::vector{1, 0}));
  EXPECT_EQ(purchase->price, 300);
  EXPECT_EQ(purchase->placement.missing, 0);
  EXPECT_EQ(purchase->placement.hosted, (std::vector{3, 2}));
  EXPECT_LE(purchase->price_bound, purchase->price);
  EXPECT_GT(purchase->price_bound, 0);
}

TEST(Capacity, BuysSeveralWhereOneIsTooFew) {
  const auto file = Parsed(With("count = 2", "count = 30"));
  const auto purchase = FindCheapest(file.question, WithCbc());
  ASSERT_TRUE(purchase.ok()) << purchase.status().message();
  EXPECT_EQ(purchase->placement.missing, 0);
  EXPECT_GE(purchase->price, 600); // 330 requests/s of 5 ms
  EXPECT_GE(purchase->price, purchase->price_bound);
}

TEST(Capacity, SaysWhatFitsNowhere) {
  const auto purchase = FindCheapest(Parsed(With("latency_ms = 20.0", "latency_ms = 4.0")).question, WithCbc());
  ASSERT_FALSE(purchase.ok());
  EXPECT_EQ(purchase.status().code(), StatusCode::kRejected);
  EXPECT_THAT(purchase.status().message(), HasSubstr("0 of 3 applications 'quick'"));
}

TEST(Capacity, CountsWhatFitsBesides) {
  const auto file = Parsed(With("most = 10", "count = 1"));
  EXPECT_EQ(file.have, (std::vector{1, 1}));
  PredictionCache cache;
  const auto placement = PlaceOn(file.question, file.have, cache);
  EXPECT_EQ(placement.missing, 0);
  const auto& app = file.question.demands[0].app;
  const int more = HowManyMore(placement.view, app, file.question.policy, 1000);
  EXPECT_GT(more, 0);
  EXPECT_LT(more, 20); // 0.92 / (10 x 5 ms) = 18 in all
  EXPECT_EQ(HowManyMore(placement.view, app, file.question.policy, 2), 2);
}

TEST(CapacityFile, ErrorsNameFileAndField) {
  EXPECT_THAT(ErrorOf(With("device = \"small\"", "device = \"tiny\"")),
              HasSubstr("field 'model[0].profile[1].device': there is no [[device]] named 'tiny'"));
  EXPECT_THAT(ErrorOf(With("model = \"m\"", "model = \"x\"")), HasSubstr("there is no [[model]] named 'x'"));
  EXPECT_THAT(ErrorOf(With("name = \"small\"", "name = \"big\"")),
              HasSubstr("field 'device[1].name': it must be a distinct name"));
  EXPECT_THAT(ErrorOf(With("rate_rps = 10.0", "rate_rps = -1.0")), HasSubstr("field 'rate_rps' is -1"));
  EXPECT_THAT(ErrorOf(With("price = 300.0\nmost = 10", "price = 300.0\ncount = 1")),
              HasSubstr("some have a `count` and some have not"));
  EXPECT_THAT(ErrorOf(With("count = 3", "count = 0")), HasSubstr("field 'app[0].count': 0 is out of range"));
  EXPECT_THAT(ErrorOf(With("price = 300.0", "prise = 300.0")), HasSubstr("did you mean 'price'?"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("there is none; add a [[device]]"));
}

TEST(CapacityFile, TheExampleIsRead) {
  std::ostringstream text;
  text << std::ifstream(AVOCET_EXAMPLES "/capacity.toml").rdbuf();
  const auto file = Parsed(text.str());
  EXPECT_EQ(file.question.offers.size(), 2U);
  EXPECT_TRUE(file.have.empty());
  EXPECT_EQ(file.question.demands.at(0).count, 12);
}

} // namespace
} // namespace avocet

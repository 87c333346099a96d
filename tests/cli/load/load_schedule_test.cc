#include <cmath>

#include <gtest/gtest.h>

#include "cli/load/load_generator.h"
#include "messages/measurement.h"

namespace avocet {
namespace {

LoadTarget Target(const std::string& name, double rate_rps, const std::string& arrival) {
  return {AppId(name), rate_rps, *ParseArrival(arrival)};
}

LoadPlan Plan(std::vector<LoadTarget> targets, Duration duration, uint64_t seed) {
  LoadPlan plan;
  plan.targets = std::move(targets);
  plan.duration = duration;
  plan.seed = seed;
  return plan;
}

std::vector<ScheduledRequest> All(const LoadPlan& plan) {
  LoadSchedule schedule(plan);
  std::vector<ScheduledRequest> requests;
  while (auto request = schedule.Next())
    requests.push_back(*request);
  return requests;
}

std::vector<Duration> TimesOf(const std::vector<ScheduledRequest>& requests, size_t target) {
  std::vector<Duration> times;
  for (const auto& request : requests)
    if (request.target == target) times.push_back(request.at);
  return times;
}

Moments Gaps(const std::string& arrival, uint64_t seed) {
  ArrivalProcess process(Target("a", 50, arrival), seed);
  (void)process.NextGap(); // a random phase for periodic arrivals
  Moments gaps;
  for (int i = 0; i < 50000; ++i)
    gaps.Add(process.NextGap());
  return gaps;
}

// Bounds: five standard errors of the mean of n gaps, and 10 % for the SCV, whose standard error is
// below 2.5 % for the heaviest tail here.
TEST(ArrivalProcess, HasTheWantedMeanAndScv) {
  for (const auto& [arrival, scv] : {std::pair{"poisson", 1.0}, {"scv:0.25", 0.25}, {"scv:1", 1.0}, {"scv:4", 4.0}})
    for (uint64_t seed : {1U, 2U, 3U}) {
      const Moments gaps = Gaps(arrival, seed);
      EXPECT_NEAR(gaps.mean() * 50, 1, 5 * std::sqrt(scv / 50000)) << arrival << " seed " << seed;
      EXPECT_NEAR(gaps.scv() / scv, 1, 0.10) << arrival << " seed " << seed;
    }
}

TEST(ArrivalProcess, PeriodicGapsAreEqual) {
  ArrivalProcess process(Target("a", 8, "periodic"), 1);
  const double phase = process.NextGap();
  EXPECT_GT(phase, 0);
  EXPECT_LT(phase, 0.125);
  for (int i = 0; i < 10; ++i)
    EXPECT_DOUBLE_EQ(process.NextGap(), 0.125);
}

TEST(LoadSchedule, IsInOrderAndEndsWithTheDuration) {
  const auto requests = All(Plan({Target("a", 100, "poisson"), Target("b", 30, "scv:2")}, std::chrono::seconds(5), 1));
  ASSERT_FALSE(requests.empty());
  for (size_t i = 1; i < requests.size(); ++i)
    EXPECT_LE(requests[i - 1].at, requests[i].at);
  EXPECT_LT(requests.back().at, std::chrono::seconds(5));
}

TEST(LoadSchedule, OffersTheDeclaredRates) {
  const auto requests =
      All(Plan({Target("a", 200, "poisson"), Target("b", 50, "periodic")}, std::chrono::seconds(100), 7));
  // Poisson: 20000 +- 5 standard deviations; periodic: exact but for the phase.
  EXPECT_NEAR(static_cast<double>(TimesOf(requests, 0).size()), 20000, 5 * std::sqrt(20000));
  EXPECT_NEAR(static_cast<double>(TimesOf(requests, 1).size()), 5000, 1);
}

TEST(LoadSchedule, IsAFunctionOfTheSeed) {
  const auto plan = [](uint64_t seed) { return Plan({Target("a", 100, "poisson")}, std::chrono::seconds(3), seed); };
  EXPECT_EQ(TimesOf(All(plan(5)), 0), TimesOf(All(plan(5)), 0));
  EXPECT_NE(TimesOf(All(plan(5)), 0), TimesOf(All(plan(6)), 0));
}

TEST(LoadSchedule, AnApplicationsArrivalsDoNotDependOnTheOthers) {
  const Duration duration = std::chrono::seconds(3);
  const auto alone = All(Plan({Target("a", 100, "poisson")}, duration, 5));
  const auto together = All(Plan({Target("b", 10, "poisson"), Target("a", 100, "poisson")}, duration, 5));
  EXPECT_EQ(TimesOf(alone, 0), TimesOf(together, 1));
}

TEST(LoadSchedule, ApplicationsAreNotInStep) {
  const auto requests =
      All(Plan({Target("a", 10, "periodic"), Target("b", 10, "periodic")}, std::chrono::seconds(1), 5));
  EXPECT_NE(TimesOf(requests, 0).front(), TimesOf(requests, 1).front());
}

TEST(LoadSchedule, ReadsATraceUpToTheEnd) {
  LoadPlan plan = Plan({Target("a", 0, "poisson"), Target("b", 0, "poisson")}, std::chrono::seconds(2), 1);
  plan.trace = std::make_shared<const std::vector<ScheduledRequest>>(
      std::vector<ScheduledRequest>{{FromSeconds(0.5), 1}, {FromSeconds(1.5), 0}, {FromSeconds(2), 0}});
  ASSERT_TRUE(Validate(plan).ok()) << Validate(plan).message();
  const auto requests = All(plan);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].target, 1U);
  EXPECT_EQ(requests[1].at, FromSeconds(1.5));
}

TEST(LoadSchedule, HasNothingForAClosedLoop) {
  LoadPlan plan = Plan({Target("a", 0, "poisson")}, std::chrono::seconds(2), 1);
  plan.concurrency = 4;
  ASSERT_TRUE(Validate(plan).ok()) << Validate(plan).message();
  EXPECT_TRUE(All(plan).empty());
}

TEST(LoadPlan, ValidatesItsRanges) {
  const LoadPlan good = Plan({Target("a", 10, "poisson")}, std::chrono::seconds(1), 1);
  EXPECT_TRUE(Validate(good).ok());
  const auto broken = [&](auto change) {
    LoadPlan plan = good;
    change(plan);
    return Validate(plan).code() == StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(broken([](LoadPlan& p) { p.targets.clear(); }));
  EXPECT_TRUE(broken([](LoadPlan& p) { p.targets[0].rate_rps = 0; }));
  EXPECT_TRUE(broken([](LoadPlan& p) { p.targets[0].app = AppId("no name"); }));
  EXPECT_TRUE(broken([](LoadPlan& p) { p.targets.push_back(p.targets[0]); }));
  EXPECT_TRUE(broken([](LoadPlan& p) { p.duration = Duration::zero(); }));
  EXPECT_TRUE(broken([](LoadPlan& p) { p.warm_up = p.duration; }));
  EXPECT_TRUE(broken([](LoadPlan& p) { p.warm_up = Duration(-1); }));
  EXPECT_TRUE(broken([](LoadPlan& p) { p.concurrency = kMaxLoadConcurrency + 1; }));
  const auto with_trace = [&](std::vector<ScheduledRequest> trace, uint64_t concurrency = 0) {
    return broken([&](LoadPlan& p) {
      p.trace = std::make_shared<const std::vector<ScheduledRequest>>(std::move(trace));
      p.concurrency = concurrency;
    });
  };
  EXPECT_FALSE(with_trace({{Duration(1), 0}, {Duration(1), 0}}));
  EXPECT_TRUE(with_trace({}));
  EXPECT_TRUE(with_trace({{Duration(2), 0}, {Duration(1), 0}}));
  EXPECT_TRUE(with_trace({{Duration(-1), 0}}));
  EXPECT_TRUE(with_trace({{Duration(1), 1}})) << "there is one target";
  EXPECT_TRUE(with_trace({{Duration(1), 0}}, 2));
}

TEST(LoadPlan, IsBoundedInRequestsAndTargets) {
  LoadPlan plan = Plan({Target("a", 1e6, "poisson")}, std::chrono::seconds(20), 1);
  EXPECT_TRUE(Validate(plan).ok());
  plan.duration += std::chrono::milliseconds(1);
  EXPECT_FALSE(Validate(plan).ok());
  plan = Plan({}, std::chrono::seconds(1), 1);
  for (size_t i = 0; i < kMaxLoadTargets; ++i)
    plan.targets.push_back(Target("a" + std::to_string(i), 1, "poisson"));
  EXPECT_TRUE(Validate(plan).ok());
  plan.targets.push_back(Target("b", 1, "poisson"));
  EXPECT_FALSE(Validate(plan).ok());
}

} // namespace
} // namespace avocet

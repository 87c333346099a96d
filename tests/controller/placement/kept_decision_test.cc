#include "controller/placement/kept_decision.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "controller/placement/decide.h"
#include "messages/codec/codec.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

/// So many devices, each with so many applications, on which an application of `rate_rps` looks for a place.
Decision DecisionOn(int devices, int apps, double rate_rps) {
  ViewBuilder builder;
  builder.Model("m:1", {.service_ms = 5});
  for (int d = 0; d < devices; ++d) {
    const std::string device = "n" + std::to_string(1000 + d) + "/d";
    builder.Device(device);
    for (int a = 0; a < apps; ++a)
      builder.Resident(MakeApp("app-" + std::to_string(d) + "-" + std::to_string(a), "m", {.rate_rps = 0.5}), device);
  }
  return Decide(builder.Build(), MakeApp("newcomer", "m", {.rate_rps = rate_rps}), {});
}

const Verdict& Chosen(const Decision& decision) {
  return *std::find_if(decision.verdicts.begin(), decision.verdicts.end(),
                       [&](const Verdict& verdict) { return verdict.device == decision.device; });
}

size_t CountTables(const Decision& decision) {
  return static_cast<size_t>(std::count_if(decision.verdicts.begin(), decision.verdicts.end(),
                                           [](const Verdict& verdict) { return !verdict.apps.empty(); }));
}

size_t CountDetails(const Decision& decision) {
  return static_cast<size_t>(std::count_if(decision.verdicts.begin(), decision.verdicts.end(),
                                           [](const Verdict& verdict) { return !verdict.detail.empty(); }));
}

TEST(KeptDecision, OfAnAdmissionTheChosenDeviceIsKeptAsAWholeAndTheOthersAsNumbers) {
  const Decision decision = DecisionOn(20, 10, 1);
  ASSERT_EQ(decision.kind, DecisionKind::kAdmit);
  const Decision kept = KeptDecision(decision);
  EXPECT_TRUE(Validate(kept).ok()) << Validate(kept).ToString();
  EXPECT_EQ(Chosen(kept), Chosen(decision));
  EXPECT_EQ(kept.verdicts.size(), 20U);
  EXPECT_EQ(CountTables(kept), 1U);
  EXPECT_EQ(kept.verdicts.back().utilization_after, decision.verdicts.back().utilization_after);
  EXPECT_EQ(kept.app, decision.app);
}

TEST(KeptDecision, OfARefusalTheDevicesWithMostRoomAreKeptInDetail) {
  Decision decision = DecisionOn(20, 10, 1000);
  ASSERT_EQ(decision.kind, DecisionKind::kReject);
  for (size_t i = 0; i < decision.verdicts.size(); ++i)
    decision.verdicts[i].max_rate_rps = i == 7 ? 30 : i == 19 ? 20 : i == 2 ? 10 : 1;

  const Decision kept = KeptDecision(decision);
  EXPECT_TRUE(Validate(kept).ok()) << Validate(kept).ToString();
  EXPECT_EQ(kept.verdicts.size(), 20U);
  EXPECT_EQ(CountTables(kept), kKeptTables);
  EXPECT_EQ(CountDetails(kept), kKeptDetails);
  for (const size_t best : {2U, 7U, 19U})
    EXPECT_EQ(kept.verdicts[best], decision.verdicts[best]);
  for (const Verdict& verdict : kept.verdicts)
    EXPECT_EQ(verdict.filter, FilterKind::kUtilization) << "why each was refused";
}

TEST(KeptDecision, BoundsTheDevices) {
  Decision decision = DecisionOn(static_cast<int>(kKeptVerdicts) + 20, 1, 1);
  const DeviceId last = decision.verdicts.back().device;
  decision.device = last;
  const Decision kept = KeptDecision(decision);
  EXPECT_EQ(kept.verdicts.size(), kKeptVerdicts);
  EXPECT_EQ(kept.verdicts.back().device, last) << "the chosen one is never left out";
  EXPECT_TRUE(Validate(kept).ok()) << Validate(kept).ToString();
}

TEST(KeptDecision, IsKeptAsItIs) {
  for (const double rate_rps : {1.0, 1000.0}) {
    const Decision kept = KeptDecision(DecisionOn(100, 5, rate_rps));
    EXPECT_EQ(KeptDecision(kept), kept);
  }
}

TEST(KeptDecision, OneThatIsSmallIsKeptWhole) {
  const Decision decision = DecisionOn(3, 10, 1000);
  EXPECT_EQ(KeptDecision(decision), decision);
}

TEST(KeptDecision, TakesAFewKilobytesWithAHundredApplicationsOnEachOfTwentyDevices) {
  const Decision decision = DecisionOn(20, 100, 1);
  EXPECT_GT(Encode(decision).size(), 50'000U);
  EXPECT_LT(Encode(KeptDecision(decision)).size(), 10'000U);
}

} // namespace
} // namespace avocet

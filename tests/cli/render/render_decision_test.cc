#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/render/render.h"
#include "tests/cli/samples.h"

namespace avocet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(DecisionText, RejectionShowsWhyForEachDevice) {
  EXPECT_EQ(Render(SampleRejection(), {}),
            R"(REJECTED doorcam: model face:1, 12 rps poisson, p95 <= 50 ms

DEVICE                FITS  FILTER      NEEDED    FOUND  UTIL BEFORE  AFTER  LARGEST RPS
edge/gpu0 (emulated)  no    objectives   45 ms  71.3 ms         50 %   75 %          6.1
edge/tpu0             no    healthy                              0 %    0 %            0

  edge/gpu0: p95 of doorcam would be 71.26 ms
  edge/tpu0: the node is away

The largest rate that fits: 6.1 rps, on edge/gpu0 (emulated).
)");
}

TEST(DecisionText, AdmissionShowsWhereAndWhatItDoesToTheOthers) {
  const std::string text = Render(SampleAdmission(), {});
  EXPECT_THAT(text, StartsWith("ADMITTED doorcam: model face:1, 12 rps poisson, p95 <= 50 ms\n"
                               "  on edge/gpu0 (emulated)\n"));
  EXPECT_THAT(text, HasSubstr(R"(
On edge/gpu0 (emulated):
APPLICATION    OBJECTIVE LESS NETWORK  PREDICTED BEFORE MS  AFTER MS
doorcam (new)  p95 <= 50 ms                              -        31
gate           mean <= 100 ms                           20        35
)"));
}

TEST(DecisionText, RatiosArePercentages) {
  Decision decision = SampleRejection();
  decision.verdicts[0].filter = FilterKind::kUtilization;
  decision.verdicts[0].unit = Unit::kRatio;
  decision.verdicts[0].needed = 0.92;
  decision.verdicts[0].found = 0.9201;
  EXPECT_THAT(Render(decision, {}), HasSubstr("92 %  92.01 %"));
}

TEST(DecisionText, WithoutAnyRoomSaysSo) {
  Decision decision = SampleRejection();
  decision.max_rate_rps = 0;
  EXPECT_THAT(Render(decision, {}), HasSubstr("No rate of this application fits on any device."));
  decision.verdicts.clear();
  EXPECT_THAT(Render(decision, {}), HasSubstr("no node has registered"));
}

TEST(DecisionText, SaysWhatALaterVersionReplaces) {
  AppStatus before = SampleStatus();
  Decision decision = SampleAdmission();
  decision.model = ModelId("face:2");
  const DecisionView view{.before = before};
  EXPECT_TRUE(ChangesAnything(decision, view));
  EXPECT_THAT(Render(decision, view, {}), StartsWith("ADMITTED doorcam: model face:1 -> face:2, 12 rps"));
}

TEST(DecisionText, WhatIsThereAlreadyIsUnchanged) {
  const DecisionView view{.before = SampleStatus()};
  EXPECT_FALSE(ChangesAnything(SampleAdmission(), view));
  EXPECT_EQ(Render(SampleAdmission(), view, {}), "UNCHANGED doorcam: model face:1, 12 rps poisson, p95 <= 50 ms\n"
                                                 "  it is on edge/gpu0 (emulated) already\n");
  Decision faster = SampleAdmission();
  faster.app.rate_rps = 13;
  EXPECT_TRUE(ChangesAnything(faster, view));
  EXPECT_THAT(Render(faster, view, {}), Not(HasSubstr("(new)"))) << "it was there before";
  DecisionView failed{.before = SampleStatus()};
  failed.before->placement->phase = PlacementPhase::kFailed;
  EXPECT_TRUE(ChangesAnything(SampleAdmission(), failed)) << "it is started again";
}

TEST(DecisionText, AnObjectiveThatTheNetworkTakesFromSaysSo) {
  Decision decision = SampleAdmission();
  decision.app.network_allowance = FromMillis(5);
  EXPECT_THAT(Render(decision, {}), HasSubstr("p95 <= 50 ms (45 ms less 5 ms for the network)"));
}

TEST(DecisionText, OfManyDevicesTheNearestAreShown) {
  Decision decision = SampleRejection();
  const Verdict gpu = decision.verdicts[0];
  decision.verdicts.clear();
  for (int i = 0; i < 20; ++i) {
    Verdict& verdict = decision.verdicts.emplace_back(gpu);
    verdict.device = DeviceId("edge/gpu" + std::to_string(10 + i));
    verdict.max_rate_rps = i == 7 ? 100 : i;
  }
  const std::string few = Render(decision, {});
  EXPECT_THAT(few, HasSubstr("edge/gpu17 "));
  EXPECT_THAT(few, HasSubstr("edge/gpu29 "));
  EXPECT_THAT(few, Not(HasSubstr("edge/gpu10")));
  EXPECT_THAT(few, HasSubstr("and 14 more devices; --all shows them\n"));
  const std::string all = Render(decision, {.before = {}, .all_devices = true}, {});
  EXPECT_THAT(all, HasSubstr("edge/gpu10 "));
  EXPECT_THAT(all, Not(HasSubstr("--all")));
}

TEST(DecisionText, ColorIsOnlyThereOnRequest) {
  EXPECT_THAT(Render(SampleRejection(), {}), Not(HasSubstr("\x1b[")));
  EXPECT_THAT(Render(SampleRejection(), {OutputFormat::kTable, true}), StartsWith("\x1b[31mREJECTED\x1b[0m"));
}

} // namespace
} // namespace avocet

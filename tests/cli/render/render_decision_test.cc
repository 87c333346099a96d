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
APPLICATION    OBJECTIVE       PREDICTED BEFORE MS  AFTER MS
doorcam (new)  p95 <= 50 ms                      -        31
gate           mean <= 100 ms                   20        35
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

TEST(DecisionText, ColorIsOnlyThereOnRequest) {
  EXPECT_THAT(Render(SampleRejection(), {}), Not(HasSubstr("\x1b[")));
  EXPECT_THAT(Render(SampleRejection(), {OutputFormat::kTable, true}), StartsWith("\x1b[31mREJECTED\x1b[0m"));
}

} // namespace
} // namespace avocet

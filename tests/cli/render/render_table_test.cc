#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/render/render.h"
#include "cli/text/exit_codes.h"
#include "tests/cli/samples.h"

namespace avocet {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(NodeTable, ListsNodes) {
  NodeStatus node{{NodeId("edge"), BootId("b"), "0.1.0", "127.0.0.1:8001", "", 4, {SampleDevice()}},
                  DeviceHealth::kHealthy};
  EXPECT_EQ(Render(std::vector{node}, {}), "NODE  HEALTH   INFERENCE       CORES  DEVICES  VERSION\n"
                                           "edge  healthy  127.0.0.1:8001      4        1  0.1.0\n");
}

TEST(DeviceTable, ShowsTheEngineThatIsEmulated) {
  const DeviceStatus device{SampleDevice(), DeviceHealth::kHealthy, 0.5, 12 * kMiB, {AppId("a"), AppId("b")}};
  EXPECT_EQ(Render(std::vector{device}, {}),
            "DEVICE     KIND  ENGINE    DISCIPLINE   HEALTH   UTIL  MEMORY MIB  APPLICATIONS\n"
            "edge/gpu0  gpu   emulated  time_shared  healthy  50 %  12 of 3964  a, b\n");
}

TEST(ModelTable, HasALinePerVariant) {
  const Model model{"face",
                    "2",
                    {{ModelFormat::kTflite, Sha256(std::string(64, 'a')), kMiB},
                     {ModelFormat::kEmulated, Sha256(std::string(64, 'b')), 512}},
                    {}};
  const std::string text = Render(std::vector<ModelStatus>{{model, {Profile{}}}}, {});
  EXPECT_THAT(text, HasSubstr("face:2  tflite    aaaaaaaaaaaa         1         1  1970-01-01T00:00:00Z\n"));
  EXPECT_THAT(text, HasSubstr("face:2  emulated  bbbbbbbbbbbb  0.000488         1"));
}

TEST(ProfileTable, ShowsWhatWasMeasuredWhere) {
  Profile profile;
  profile.model = ModelId("face:2");
  profile.device_type = "gpu/emulated";
  profile.service_mean = FromMillis(2.5);
  profile.runs = 30;
  EXPECT_THAT(Render(std::vector{profile}, {}), HasSubstr("face:2  tflite  gpu/emulated         2.5    0"));
}

TEST(AppTable, MarksEmulatedDevices) {
  EXPECT_THAT(Render(std::vector{SampleStatus()}, {}),
              HasSubstr("doorcam      face   ready  edge/gpu0 (emulated)   12  p95 <= 50 ms              10   20"));
}

TEST(AppTable, ShowsTheLastFiveMinutesAndSaysSo) {
  AppStatus status = SampleStatus();
  status.measured.response.Add(0.5);
  status.measured.response_sketch.Add(FromMillis(500));
  status.recent.five_minutes.response.Add(0.012);
  status.recent.five_minutes.response_sketch.Add(FromMillis(12));
  const std::string text = Render(std::vector{status}, {});
  EXPECT_THAT(text, HasSubstr("MEASURED (5 MIN) MEAN  P95  MET\n"));
  EXPECT_THAT(text, HasSubstr("12   12  yes\n"));
  EXPECT_THAT(text, HasSubstr("in the last 5 minutes"));
}

TEST(AppText, ShowsPredictedAndMeasured) {
  AppStatus status = SampleStatus();
  AppTotals& recent = status.recent.five_minutes;
  recent = {.arrivals = 4, .completions = 2, .failures = 1, .refusals = 3, .expired = 1};
  recent.measured = std::chrono::seconds(2);
  recent.response.Add(0.012);
  recent.response_sketch.Add(FromMillis(12));
  const std::string text = Render(status, {});
  EXPECT_THAT(text, StartsWith("application         doorcam\n"));
  EXPECT_THAT(text, HasSubstr("device              edge/gpu0 (emulated), utilization 25 %\n"));
  EXPECT_THAT(text, HasSubstr("objective met       yes (last 5 min)\n"));
  EXPECT_THAT(text, HasSubstr("predicted                10    8   20   30"));
  EXPECT_THAT(text, HasSubstr("measured, last 1 min      -    -    -    -    -         0       0        0        0\n"));
  EXPECT_THAT(text, HasSubstr("measured, last 5 min     12   12   12   12    2         2       1        3        1\n"));
  EXPECT_THAT(text, HasSubstr("measured, in all "));
}

TEST(AppText, ShowsWhyItDoesNotRun) {
  AppStatus status = SampleStatus();
  status.placement->phase = PlacementPhase::kFailed;
  status.placement->reason = "out of memory";
  EXPECT_THAT(Render(status, {}), HasSubstr("phase               failed\nreason              out of memory\n"));
}

TEST(EmptyLists, SayWhatToDo) {
  EXPECT_THAT(Render(std::vector<NodeStatus>{}, {}), HasSubstr("avocet agent"));
  EXPECT_THAT(Render(std::vector<ModelStatus>{}, {}), HasSubstr("avocet model import"));
  EXPECT_THAT(Render(std::vector<AppStatus>{}, {}), HasSubstr("avocet app apply"));
}

TEST(LoadTable, ListsErrorsBelow) {
  LoadRecorder recorder({AppId("cam"), 10, {}}, {});
  recorder.Sent({});
  LoadOutcome outcome;
  outcome.status = Unavailable("queue full");
  recorder.Ended(outcome);
  LoadReport report;
  report.apps = {recorder.Report(std::chrono::seconds(1))};
  EXPECT_THAT(Render(report, {}), HasSubstr("cam: 1 x unavailable, first: queue full\n"));
}

TEST(ErrorText, IsOneLine) {
  EXPECT_EQ(Render(NotFound("no application 'x'"), {}), "error: no application 'x'\n");
}

TEST(ExitCodes, FollowTheStatus) {
  EXPECT_EQ(ExitCodeOf({}), 0);
  EXPECT_EQ(ExitCodeOf(InvalidArgument("x")), 1);
  EXPECT_EQ(ExitCodeOf(Rejected("x")), 2);
  EXPECT_EQ(ExitCodeOf(DeadlineExceeded("x")), 4);
  EXPECT_EQ(ExitCodeOf(Denied("x")), 5);
  EXPECT_EQ(ExitCodeOf(Internal("x")), 1);
}

} // namespace
} // namespace avocet

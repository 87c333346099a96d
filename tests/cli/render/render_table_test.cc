#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/render/columns.h"
#include "cli/render/render.h"
#include "cli/text/exit_codes.h"
#include "tests/cli/samples.h"

namespace avocet {
namespace {

using ::testing::AllOf;
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
  Profile profile;
  profile.format = ModelFormat::kEmulated;
  profile.device_type = "gpu/emulated";
  profile.service_mean = FromMillis(10.83);
  const std::string text = Render(std::vector<ModelStatus>{{model, {profile}}}, {});
  EXPECT_THAT(text, HasSubstr("face:2  tflite    aaaaaaaaaaaa  1 MiB  1970-01-01T00:00:00Z  -\n"));
  EXPECT_THAT(text, HasSubstr("face:2  emulated  bbbbbbbbbbbb  512 B  1970-01-01T00:00:00Z  gpu/emulated 10.8\n"));
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
              AllOf(HasSubstr("doorcam      face:1  edge/gpu0*  ready   12  p95 <= 50 ms         20         -  -\n"),
                    HasSubstr("\n* emulated device\n")));
}

TEST(AppTable, ShowsTheLastFiveMinutesAndSaysSo) {
  AppStatus status = SampleStatus();
  status.measured.response.Add(0.5);
  status.measured.response_sketch.Add(FromMillis(500));
  status.recent.five_minutes.response.Add(0.012);
  status.recent.five_minutes.response_sketch.Add(FromMillis(12));
  const std::string text = Render(std::vector{status}, {});
  EXPECT_THAT(text, HasSubstr("PREDICTED  MEASURED  MET\n"));
  EXPECT_THAT(text, HasSubstr("20        12  yes\n"));
  EXPECT_THAT(text, HasSubstr("measured in the last 5 minutes"));
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

TEST(AppText, SaysThatClientsSendMoreThanWasDeclared) {
  AppStatus status = SampleStatus();
  status.app.rate_rps = 40;
  AppTotals& minute = status.recent.minute;
  minute = {.arrivals = 3900, .refusals = 7500, .measured = std::chrono::minutes(1)};
  EXPECT_THAT(Render(status, {}),
              HasSubstr("clients             send 190 rps, 4.75 x the declared rate (last 1 min)\n"));
  EXPECT_THAT(Render(std::vector{status}, {}), HasSubstr("\ndoorcam: clients send 190 rps, 4.75 x"));
  EXPECT_THAT(Render(status, {OutputFormat::kJson, false}), HasSubstr("\"over_declared\": 4.75"));
  minute = {.arrivals = 2500, .measured = std::chrono::minutes(1)};
  EXPECT_THAT(Render(status, {}), testing::Not(HasSubstr("clients ")));
  status.app.rate_rps = 0.02;
  minute = {.arrivals = 3, .measured = std::chrono::minutes(1)};
  EXPECT_EQ(OverDeclared(status), std::nullopt) << "of about one request that may be chance";
}

TEST(AppText, SaysWhatTheNetworkTakesOfTheObjective) {
  AppStatus status = SampleStatus();
  status.app.network_allowance = FromMillis(5);
  EXPECT_THAT(Render(status, {}),
              HasSubstr("objective           p95 <= 50 ms, less 5 ms for the network: 45 ms at the agent\n"));
}

/// Names, times and texts as long as they come in practice.
TEST(Tables, AreNotWiderThan100Columns) {
  AppStatus app = SampleStatus();
  app.app.name = AppId("warehouse-conveyor-cam-12");
  app.app.rate_rps = 123.456;
  app.app.objective = {Statistic::kP95, FromMillis(1234.5)};
  app.placement->model = ModelId("face_detection_short_range:12");
  app.placement->device = DeviceId("jetson-orin-nano-17/gpu0");
  for (AppTotals* totals : {&app.measured, &app.recent.minute, &app.recent.five_minutes, &app.recent.hour}) {
    *totals = {.arrivals = 1234567, .completions = 1234567, .refusals = 12345, .measured = std::chrono::hours(1)};
    totals->response.Add(1.2345);
    totals->response_sketch.Add(FromMillis(1234.5));
  }
  Profile profile;
  profile.model = app.placement->model;
  profile.format = ModelFormat::kEmulated;
  profile.device_type = "cpu/tflite/intel-xeon-platinum-8481c/1core";
  profile.runs = 1000;
  const Model model{.name = "face_detection_short_range",
                    .version = "12",
                    .variants = {{ModelFormat::kEmulated, Sha256(std::string(64, 'a')), kMiB}}};
  const DeviceStatus device{SampleDevice(), DeviceHealth::kHealthy, 0.5, kMiB, std::vector<AppId>(9, app.app.name)};
  const Event event{.sequence = 12345,
                    .kind = "model_profiled",
                    .subject = "face_detection_short_range:12",
                    .detail = "a sentence of many words that says what happened where, and what to do about it now"};
  Decision decision = SampleRejection();
  decision.app = app.app;
  decision.verdicts[0].device = app.placement->device;
  decision.verdicts[0].detail = event.detail + event.detail;
  RebalancePlan plan;
  plan.moves.emplace_back().move = {app.app.name, DeviceId("jetson-orin-nano-17/gpu0"), DeviceId("jetson-agx-3/gpu0")};
  const auto nodes = std::vector<NodeStatus>{
      {{NodeId("jetson-orin-nano-17"), BootId("b"), "0.1.0", "jetson-orin-nano-17.local:8001", "", 4, {}},
       DeviceHealth::kHealthy}};
  for (const std::string& text : {Render(app, {}), Render(std::vector{app}, {}), Render(std::vector{profile}, {}),
                                  Render(std::vector<ModelStatus>{{model, {profile, profile}}}, {}),
                                  Render(std::vector{device}, {}), Render(std::vector{event}, {}), Render(decision, {}),
                                  Render(SampleAdmission(), {}), Render(plan, {}), Render(nodes, {})}) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      EXPECT_LE(DisplayWidth(line), kMaxTableColumns) << line;
  }
}

TEST(Texts, OfOthersCannotDriveTheTerminal) {
  const std::string evil = "a\x1b[2J", shown = "a\\x1b[2J";
  AppStatus status = SampleStatus();
  status.app.name = AppId(evil);
  status.placement->reason = evil;
  Decision decision = SampleRejection();
  decision.app.name = AppId(evil);
  decision.verdicts[0].detail = evil;
  for (const std::string& text :
       {Render(status, {}), Render(std::vector{status}, {}), Render(decision, {}), Render(InvalidArgument(evil), {}),
        RenderLine(Event{.sequence = 1, .kind = "k", .subject = evil, .detail = evil}, {}),
        Render(VersionInfo{.version = evil, .role = "dev"}, {})}) {
    EXPECT_THAT(text, HasSubstr(shown));
    EXPECT_THAT(text, testing::Not(HasSubstr("\x1b")));
  }
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

#include "cli/render/render_json.h"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/render/render.h"
#include "tests/cli/samples.h"

namespace avocet {
namespace {

using Json = nlohmann::json;

constexpr RenderOptions kJson{OutputFormat::kJson};

std::set<std::string> Keys(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items())
    keys.insert(key);
  return keys;
}

::testing::AssertionResult HasKeys(const Json& object, const std::set<std::string>& keys) {
  for (const std::string& key : keys)
    if (!object.contains(key)) return ::testing::AssertionFailure() << "no key '" << key << "' in " << object.dump();
  return ::testing::AssertionSuccess();
}

template <class T> Json Parsed(const T& value) {
  return Json::parse(Render(value, kJson));
}

// ---- app plan: keys that scripts rely on ----

TEST(DecisionJson, HasThePublishedKeys) {
  const Json json = Parsed(SampleRejection());
  EXPECT_TRUE(HasKeys(json, {"v", "decision", "view_version", "device", "moves", "verdicts", "max_rate_rps"}));
  EXPECT_TRUE(HasKeys(json["verdicts"][0], {"device", "node", "ok", "filter", "needed", "found", "unit",
                                            "utilization_before", "utilization_after", "apps"}));
  EXPECT_TRUE(HasKeys(json["verdicts"][0], {"emulated", "detail", "max_rate_rps", "memory_after_mb"}));
  EXPECT_EQ(Keys(json["verdicts"][0]["apps"][0]),
            (std::set<std::string>{"name", "statistic", "objective_ms", "before_ms", "after_ms", "fast"}));
}

TEST(DecisionJson, OfARejection) {
  const Json json = Parsed(SampleRejection());
  EXPECT_EQ(json["v"], 1);
  EXPECT_EQ(json["decision"], "reject");
  EXPECT_EQ(json["view_version"], 42);
  EXPECT_TRUE(json["device"].is_null());
  EXPECT_EQ(json["moves"], Json::array());
  EXPECT_EQ(json["max_rate_rps"], 6.1099);
  const Json& gpu = json["verdicts"][0];
  EXPECT_EQ(gpu["device"], "edge/gpu0");
  EXPECT_EQ(gpu["node"], "edge");
  EXPECT_EQ(gpu["ok"], false);
  EXPECT_EQ(gpu["emulated"], true);
  EXPECT_EQ(gpu["filter"], "objectives");
  EXPECT_EQ(gpu["needed"], 45.0);
  EXPECT_EQ(gpu["found"], 71.26);
  EXPECT_EQ(gpu["unit"], "ms");
  EXPECT_EQ(gpu["utilization_after"], 0.75);
  EXPECT_EQ(gpu["memory_after_mb"], 14.0);
  EXPECT_EQ(gpu["apps"][0]["name"], "doorcam");
  EXPECT_EQ(gpu["apps"][0]["statistic"], "p95");
  EXPECT_TRUE(gpu["apps"][0]["before_ms"].is_null());
  EXPECT_DOUBLE_EQ(gpu["apps"][0]["after_ms"].get<double>(), 71.26);
}

TEST(DecisionJson, OfAnAdmissionHasNoFilter) {
  const Json json = Parsed(SampleAdmission());
  EXPECT_EQ(json["decision"], "admit");
  EXPECT_EQ(json["device"], "edge/gpu0");
  const Json& gpu = json["verdicts"][0];
  EXPECT_EQ(gpu["ok"], true);
  for (const char* key : {"filter", "needed", "found", "unit"})
    EXPECT_TRUE(gpu[key].is_null()) << key;
}

TEST(DecisionJson, ShowsMoves) {
  Decision decision = SampleAdmission();
  decision.kind = DecisionKind::kAdmitWithMoves;
  decision.moves = {{AppId("gate"), DeviceId("edge/gpu0"), DeviceId("edge/tpu0")}};
  const Json json = Parsed(decision);
  EXPECT_EQ(json["decision"], "admit_with_moves");
  EXPECT_EQ(json["moves"], Json::parse(R"([{"app":"gate","from":"edge/gpu0","to":"edge/tpu0"}])"));
}

// ---- lists ----

TEST(ListJson, EmptyListsAreVersionedObjects) {
  EXPECT_EQ(Parsed(std::vector<NodeStatus>{}), Json::parse(R"({"v":1,"nodes":[]})"));
  EXPECT_EQ(Parsed(std::vector<DeviceStatus>{}), Json::parse(R"({"v":1,"devices":[]})"));
  EXPECT_EQ(Parsed(std::vector<ModelStatus>{}), Json::parse(R"({"v":1,"models":[]})"));
  EXPECT_EQ(Parsed(std::vector<Profile>{}), Json::parse(R"({"v":1,"profiles":[]})"));
  EXPECT_EQ(Parsed(std::vector<AppStatus>{}), Json::parse(R"({"v":1,"apps":[]})"));
  EXPECT_EQ(Parsed(std::vector<Event>{}), Json::parse(R"({"v":1,"events":[]})"));
}

TEST(NodeJson, ShowsTheNodeAndItsDevices) {
  NodeStatus node{{NodeId("edge"), BootId("b"), "0.1.0", "127.0.0.1:8001", "127.0.0.1:8000", 4, {SampleDevice()}},
                  DeviceHealth::kHealthy};
  EXPECT_EQ(Parsed(std::vector{node}), Json::parse(R"({"v":1,"nodes":[{"name":"edge","health":"healthy",
    "version":"0.1.0","grpc_address":"127.0.0.1:8001","rest_address":"127.0.0.1:8000","cpu_cores":4,"core_speed":1.0,
    "note":"",
    "devices":[{"id":"edge/gpu0","node":"edge","name":"gpu0","kind":"gpu","discipline":"time_shared","engine":"emulated","emulated":true,"type":"gpu/emulated",
    "memory_mb":3964.0,"cores":[]}]}]})"));
}

TEST(DeviceJson, ShowsLoadAndResidents) {
  const DeviceStatus device{SampleDevice(), DeviceHealth::kDraining, 0.5, 12 * kMiB, {AppId("a"), AppId("b")}};
  const Json json = Parsed(std::vector{device})["devices"][0];
  EXPECT_EQ(json["id"], "edge/gpu0");
  EXPECT_EQ(json["emulated"], true);
  EXPECT_EQ(json["health"], "draining");
  EXPECT_EQ(json["utilization"], 0.5);
  EXPECT_EQ(json["memory_used_mb"], 12.0);
  EXPECT_EQ(json["apps"], Json::parse(R"(["a","b"])"));
}

TEST(ModelJson, ShowsVariantsAndProfiles) {
  Model model{"face", "2", {{ModelFormat::kTflite, Sha256("ab"), 1000}}, WallTime(std::chrono::seconds(1714564991))};
  Profile profile;
  profile.model = ModelId("face:2");
  profile.device_type = "gpu/emulated";
  profile.service_mean = FromMillis(2.5);
  profile.switch_overhead = FromMillis(4);
  profile.memory_bytes = 5 * kMiB;
  profile.runs = 30;
  profile.emulated = true;
  const Json json = Parsed(std::vector<ModelStatus>{{model, {profile}}})["models"][0];
  EXPECT_EQ(json["id"], "face:2");
  EXPECT_EQ(json["imported_at"], "2024-05-01T12:03:11Z");
  EXPECT_EQ(json["variants"], Json::parse(R"([{"format":"tflite","sha256":"ab","size_bytes":1000}])"));
  const Json& shown = json["profiles"][0];
  EXPECT_EQ(shown["device_type"], "gpu/emulated");
  EXPECT_EQ(shown["emulated"], true);
  EXPECT_EQ(shown["service_ms"], 2.5);
  EXPECT_EQ(shown["switch_ms"], 4.0);
  EXPECT_EQ(shown["memory_mb"], 5.0);
  EXPECT_EQ(shown["runs"], 30);
  EXPECT_EQ(Parsed(model)["v"], 1);
}

// ---- applications ----

TEST(AppJson, ShowsPlacementAndPrediction) {
  const Json json = Parsed(SampleStatus());
  EXPECT_EQ(json["v"], 1);
  EXPECT_EQ(json["name"], "doorcam");
  EXPECT_EQ(json["phase"], "ready");
  EXPECT_EQ(json["device"], "edge/gpu0");
  EXPECT_EQ(json["loaded_model"], "face:1");
  EXPECT_EQ(json["epoch"], 7);
  EXPECT_EQ(json["emulated"], true);
  EXPECT_EQ(json["objective"], Json::parse(R"({"statistic":"p95","latency_ms":50.0})"));
  EXPECT_EQ(json["predicted"], Json::parse(R"({"mean_ms":10.0,"p50_ms":8.0,"p95_ms":20.0,"p99_ms":30.0})"));
  EXPECT_EQ(json["measured"]["requests"], 0);
  EXPECT_TRUE(json["measured"]["mean_ms"].is_null());
  EXPECT_TRUE(json["objective_met"].is_null());
}

TEST(AppJson, WithoutPlacementIsUnplaced) {
  AppStatus status;
  status.app = SampleApp();
  const Json json = Parsed(std::vector{status})["apps"][0];
  EXPECT_EQ(json["phase"], "unplaced");
  EXPECT_TRUE(json["device"].is_null());
  EXPECT_TRUE(json["predicted"].is_null());
}

AppStatus MeasuredAt(Duration response) {
  AppStatus status = SampleStatus();
  for (int i = 0; i < 100; ++i) {
    status.recent.five_minutes.response.Add(ToSeconds(response));
    status.recent.five_minutes.response_sketch.Add(response);
  }
  return status;
}

TEST(AppJson, SaysWhetherTheObjectiveIsMet) {
  EXPECT_EQ(Parsed(MeasuredAt(FromMillis(40)))["objective_met"], true);
  EXPECT_EQ(Parsed(MeasuredAt(FromMillis(60)))["objective_met"], false);
  AppStatus far = MeasuredAt(FromMillis(40));
  far.app.network_allowance = FromMillis(15);
  EXPECT_EQ(ObjectiveMet(far), false) << "35 ms remain";
  EXPECT_NEAR(Parsed(far)["measured"]["5m"]["mean_ms"].get<double>(), 40, 1e-9);
}

AppTotals TotalsOf(uint64_t requests, Duration response, Duration measured) {
  AppTotals totals{.arrivals = requests, .completions = requests, .refusals = 3, .expired = 2, .measured = measured};
  for (uint64_t i = 0; i < requests; ++i) {
    totals.response.Add(ToSeconds(response));
    totals.response_sketch.Add(response);
  }
  return totals;
}

TEST(AppJson, ShowsEveryStretch) {
  AppStatus status = SampleStatus();
  status.recent.minute = TotalsOf(60, FromMillis(10), std::chrono::seconds(30));
  status.recent.five_minutes = TotalsOf(300, FromMillis(20), std::chrono::seconds(150));
  status.recent.hour = TotalsOf(600, FromMillis(30), std::chrono::seconds(200));
  status.measured = TotalsOf(700, FromMillis(40), std::chrono::seconds(350));
  status.measured.rate = {7, 1, 30};
  const Json measured = Parsed(status)["measured"];
  const std::set<std::string> keys{"requests", "rate_rps", "offered_rps", "mean_ms", "p50_ms",
                                   "p95_ms",   "p99_ms",   "refused",     "expired", "failed"};
  double ms = 10;
  for (const char* stretch : {"1m", "5m", "60m", "total"}) {
    const Json& one = measured[stretch];
    EXPECT_EQ(Keys(one), keys) << stretch;
    for (const char* key : {"mean_ms", "p50_ms", "p95_ms", "p99_ms"})
      EXPECT_NEAR(one[key].get<double>(), ms, 0.005 * ms) << stretch << " " << key;
    EXPECT_EQ(one["refused"], 3);
    EXPECT_EQ(one["expired"], 2);
    ms += 10;
  }
  EXPECT_EQ(measured["1m"]["requests"], 60);
  EXPECT_EQ(measured["1m"]["rate_rps"], 2.0);
  EXPECT_EQ(measured["60m"]["rate_rps"], 3.0);
  EXPECT_EQ(measured["total"]["requests"], 700);
  EXPECT_EQ(measured["requests"], 700) << "the keys from before there were stretches are those of the total";
  EXPECT_EQ(measured["refusals"], 3);
  EXPECT_EQ(measured["rate_rps"], 7.0) << "but the rate is the recent one";
}

TEST(AppJson, OfAStretchInWhichNothingWasMeasuredIsNull) {
  const Json minute = Parsed(SampleStatus())["measured"]["1m"];
  EXPECT_EQ(minute["requests"], 0);
  for (const char* key : {"rate_rps", "mean_ms", "p50_ms", "p95_ms", "p99_ms"})
    EXPECT_TRUE(minute[key].is_null()) << key;
}

// ---- the rest ----

TEST(EventJson, ShowsTheEvent) {
  const Event event{3, WallTime(std::chrono::seconds(1714564991)), "app_admitted", "doorcam", "on edge/gpu0"};
  EXPECT_EQ(Parsed(std::vector{event})["events"][0],
            Json::parse(R"({"sequence":3,"at":"2024-05-01T12:03:11Z","kind":"app_admitted","subject":"doorcam",
                            "detail":"on edge/gpu0"})"));
}

TEST(VersionJson, OfTheProgramItselfHasNothingOfAController) {
  EXPECT_EQ(Parsed(VersionInfo{.version = "0.1.0", .role = kClientRole}),
            Json::parse(R"({"v":1,"version":"0.1.0","role":"client"})"));
}

TEST(VersionJson, ShowsTheVersion) {
  EXPECT_EQ(Parsed(VersionInfo{"0.1.0", "dev", 4, std::chrono::seconds(90)}),
            Json::parse(R"({"v":1,"version":"0.1.0","role":"dev","view_version":4,"uptime_s":90.0})"));
}

TEST(ErrorJson, ShowsCodeAndMessage) {
  EXPECT_EQ(Parsed(NotFound("no application 'x'")),
            Json::parse(R"({"v":1,"error":{"code":"not_found","message":"no application 'x'"}})"));
}

TEST(ErrorJson, ForeignBytesDoNotBreakTheDocument) {
  EXPECT_TRUE(Json::accept(Render(Internal("engine said \xff\xfe"), kJson)));
}

TEST(LoadJson, ShowsCountsAndLatencies) {
  LoadReport report;
  report.address = "127.0.0.1:8001";
  report.plan.seed = 9;
  LoadRecorder recorder({AppId("cam"), 10, {ArrivalKind::kPeriodic, 0}}, {});
  for (int ms : {10, 20}) {
    recorder.Sent({});
    LoadOutcome outcome;
    outcome.latency = std::chrono::milliseconds(ms);
    outcome.emulated = true;
    recorder.Ended(outcome);
  }
  recorder.Dropped({});
  report.apps = {recorder.Report(std::chrono::seconds(1))};
  const Json json = Parsed(report);
  EXPECT_EQ(json["v"], 1);
  EXPECT_EQ(json["ok"], false) << "one was dropped";
  EXPECT_EQ(json["seed"], 9);
  EXPECT_EQ(json["protocol"], "grpc");
  EXPECT_EQ(json["mode"], "open_loop");
  EXPECT_EQ(json["processor_time_s"], 0.0);
  const Json& app = json["apps"][0];
  EXPECT_EQ(app["name"], "cam");
  EXPECT_EQ(app["arrival"], "periodic");
  EXPECT_EQ(app["emulated"], true);
  EXPECT_EQ(app["sent"], 2);
  EXPECT_EQ(app["ok"], 2);
  EXPECT_EQ(app["dropped"], 1);
  EXPECT_DOUBLE_EQ(app["latency"]["mean_ms"].get<double>(), 15);
  EXPECT_DOUBLE_EQ(app["latency"]["max_ms"].get<double>(), 20);
  EXPECT_DOUBLE_EQ(app["intended_rps"].get<double>(), 3);
  EXPECT_DOUBLE_EQ(app["latency"]["p90_ms"].get<double>(), 20);
  EXPECT_DOUBLE_EQ(app["latency"]["p999_ms"].get<double>(), 20);
  EXPECT_EQ(app["latency"]["mean_interval_ms"].size(), 2U);
  EXPECT_EQ(app["latency"]["p99_interval_ms"].size(), 2U);
  EXPECT_TRUE(app["latency"]["p99_interval_ms"][1].is_null()) << "two values bound no high percentile";
  EXPECT_TRUE(app["server_response"].is_null());
  EXPECT_EQ(app["errors"], Json::array());
}

} // namespace
} // namespace avocet

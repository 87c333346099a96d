#include "tests/cli/e2e/commands_fixture.h"

// Nodes, devices, models, events, load: every verb for people and for programs.
namespace avocet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

TEST_F(Commands, VersionNamesTheController) {
  const auto table = Run({"version"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, StartsWith("avocet " AVOCET_VERSION " (dev), up "));
  const json said = Json({"version"});
  EXPECT_THAT(said, HasKeys({"v", "version", "role", "view_version", "uptime_s"}));
  EXPECT_EQ(said["role"], "dev");
  EXPECT_GT(said["view_version"], 0);
}

TEST_F(Commands, NodeListShowsTheNodeAndWhereItServes) {
  const auto table = Run({"node", "list"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out,
              AllOf(HasSubstr("NODE"), HasSubstr("box"), HasSubstr("healthy"), HasSubstr(cluster().inference())));
  const json said = Json({"node", "list"});
  EXPECT_EQ(said["v"], 1);
  ASSERT_EQ(said["nodes"].size(), 1);
  const json& node = said["nodes"][0];
  EXPECT_THAT(node, HasKeys({"name", "health", "version", "grpc_address", "rest_address", "cpu_cores", "devices"}));
  EXPECT_EQ(node["grpc_address"], cluster().inference());
  EXPECT_EQ(node["devices"].size(), 3);
}

TEST_F(Commands, DeviceListShowsLoadAndMemory) {
  const auto table = Run({"device", "list"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("DEVICE"), HasSubstr("box/cpu0"), HasSubstr("box/gpu0"), HasSubstr("box/tpu0"),
                               HasSubstr("time_shared")));
  const json said = Json({"device", "list"});
  EXPECT_EQ(said["devices"].size(), 3);
  for (const auto& device : said["devices"])
    EXPECT_THAT(device, HasKeys({"id", "node", "name", "kind", "discipline", "engine", "emulated", "type", "memory_mb",
                                 "cores", "health", "utilization", "memory_used_mb", "apps"}));
  const json gpu = Find(said["devices"], "id", "box/gpu0");
  EXPECT_THAT(gpu["apps"], testing::Contains("base"));
  EXPECT_GT(gpu["utilization"], 0);
  EXPECT_EQ(gpu["emulated"], true);
  EXPECT_EQ(Find(said["devices"], "id", "box/cpu0")["emulated"], false);
}

TEST_F(Commands, RebalanceHasNothingToMoveWhereEveryDeviceIsOfItsOwnKind) {
  const auto plan = Run({"rebalance", "--plan"});
  EXPECT_EQ(plan.exit_code, 0) << "3 would mean that there are moves";
  EXPECT_THAT(plan.out, StartsWith("nothing to move"));
  const json said = Json({"rebalance", "--max-moves", "3"});
  EXPECT_THAT(said, HasKeys({"v", "view_version", "room_before", "room_after", "executed", "moves"}));
  EXPECT_EQ(said["moves"], json::array());
  EXPECT_EQ(said["executed"], false);
  EXPECT_EQ(Run({"rebalance", "--max-moves", "0"}).exit_code, 64);
}

TEST_F(Commands, ModelImportTakesARealModelAndShowsItsDigest) {
  const std::string file = SampleModel("face_detection_short_range.tflite").string();
  const json model = Json({"model", "import", file, "--name", "face", "--version", "7"});
  EXPECT_THAT(model, HasKeys({"v", "id", "name", "version", "variants", "imported_at"}));
  EXPECT_EQ(model["id"], "face:7");
  ASSERT_EQ(model["variants"].size(), 1);
  EXPECT_EQ(model["variants"][0]["format"], "tflite");
  EXPECT_EQ(model["variants"][0]["size_bytes"], std::filesystem::file_size(file));
  EXPECT_THAT(model["variants"][0]["sha256"].get<std::string>(), MatchesRegex("[0-9a-f]{64}"));
  const auto again = Run({"model", "import", file, "--name", "face", "--version", "7"});
  EXPECT_EQ(again.exit_code, 0) << "the same file again is no conflict: " << again.err;
  EXPECT_THAT(again.out, HasSubstr("face:7"));
}

TEST_F(Commands, ModelImportRefusesAnotherFileUnderTheSameVersion) {
  const auto other = Run({"model", "import", EmulatedModel("resnet34.toml"), "--name", "resnet18"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, AllOf(HasSubstr("resnet18:1"), HasSubstr("new version")));
}

TEST_F(Commands, ModelImportRefusesWhatIsNoModel) {
  const auto text = Run({"model", "import", cluster().Write("notes.txt", "hello")});
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_THAT(text.err, AllOf(HasSubstr("notes.txt"), HasSubstr(".tflite")));
  const auto broken = Run({"model", "import", cluster().Write("broken.toml", "[[input]]\nname = \"x\"\nshap = [1]\n")});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, AllOf(HasSubstr("broken.toml"), HasSubstr("shap")));
}

TEST_F(Commands, ModelListShowsFilesAndProfiles) {
  const auto table = Run({"model", "list"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("MODEL"), HasSubstr("resnet18:1"), HasSubstr("emulated")));
  const json said = Json({"model", "list"});
  for (const auto& model : said["models"])
    EXPECT_THAT(model, HasKeys({"id", "name", "version", "variants", "imported_at", "profiles"}));
  const json resnet = Find(said["models"], "id", "resnet18:1");
  ASSERT_EQ(resnet["profiles"].size(), 1) << "applying \"base\" measured it";
  EXPECT_EQ(resnet["profiles"][0]["device_type"], "gpu/emulated");
}

TEST_F(Commands, ModelProfileMeasuresOnOneDevice) {
  const json said = Json({"model", "profile", "mobilenet_v1", "--device", "box/tpu0"});
  ASSERT_EQ(said["profiles"].size(), 1);
  const json& profile = said["profiles"][0];
  EXPECT_THAT(profile, HasKeys({"model", "format", "device_type", "emulated", "service_ms", "service_scv", "switch_ms",
                                "memory_mb", "runs", "measured_at"}));
  EXPECT_EQ(profile["model"], "mobilenet_v1:1");
  EXPECT_EQ(profile["device_type"], "edgetpu/emulated");
  EXPECT_EQ(profile["emulated"], true);
  EXPECT_DOUBLE_EQ(profile["service_ms"], 4.55) << "what the model's file says";
  const auto table = Run({"model", "profile", "mobilenet_v1", "--device", "box/tpu0"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("SERVICE MS"), HasSubstr("4.55")));
}

TEST_F(Commands, ModelProfileSaysWhatIsMissing) {
  const auto model = Run({"model", "profile", "nope"});
  EXPECT_EQ(model.exit_code, 1);
  EXPECT_THAT(model.err, AllOf(HasSubstr("'nope'"), HasSubstr("avocet model list")));
  const auto device = Run({"model", "profile", "resnet18", "--device", "box/nope"});
  EXPECT_EQ(device.exit_code, 1);
  EXPECT_THAT(device.err, AllOf(HasSubstr("'box/nope'"), HasSubstr("avocet device list")));
  const auto format = Run({"model", "profile", "resnet18", "--device", "box/cpu0"});
  EXPECT_EQ(format.exit_code, 1);
  EXPECT_THAT(format.err, AllOf(HasSubstr("tflite"), HasSubstr("box/cpu0")));
}

TEST_F(Commands, EventsTellWhatHappenedInOrder) {
  const auto table = Run({"events"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("EVENT"), HasSubstr("node_up"), HasSubstr("app_admitted")));
  const json events = Json({"events"})["events"];
  ASSERT_GE(events.size(), 5);
  uint64_t last = 0;
  for (const auto& event : events) {
    EXPECT_THAT(event, HasKeys({"sequence", "at", "kind", "subject", "detail"}));
    EXPECT_GT(event["sequence"], last);
    last = event["sequence"];
  }
  const json later = Json({"events", "--after", std::to_string(last - 1)})["events"];
  ASSERT_GE(later.size(), 1);
  EXPECT_EQ(later[0]["sequence"], last);
}

TEST_F(Commands, LoadReportsWhatClientsSaw) {
  const json said = Json({"load", "base=20", "--duration", "1", "--arrival", "periodic", "--warm-up", "0.2"});
  EXPECT_THAT(said,
              HasKeys({"v", "ok", "address", "seed", "duration_s", "warm_up_s", "elapsed_s", "interrupted", "apps"}));
  EXPECT_EQ(said["ok"], true);
  EXPECT_EQ(said["address"], cluster().inference());
  ASSERT_EQ(said["apps"].size(), 1);
  const json& app = said["apps"][0];
  EXPECT_THAT(app, HasKeys({"name", "rate_rps", "arrival", "emulated", "sent", "ok", "failed", "dropped", "unanswered",
                            "achieved_rps", "latency", "server_response", "send_lag", "errors"}));
  EXPECT_THAT(app["latency"], HasKeys({"count", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"}));
  EXPECT_EQ(app["emulated"], true);
  EXPECT_GT(app["ok"], 10);
  EXPECT_GT(app["latency"]["mean_ms"], 10) << "the emulated GPU takes 10.83 ms";
  const auto table = Run({"load", "base=10", "--duration", "0.3"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("base (emulated)"), HasSubstr("MEAN MS")));
}

TEST_F(Commands, LoadThatIsInterruptedReportsWhatItSaw) {
  const auto load = cluster().Spawn({"load", "base=50", "--duration", "600", "-o", "json"});
  ASSERT_TRUE(Eventually([] { return Json({"app", "status", "base"})["measured"]["1m"]["rate_rps"] > 5; }, kPatience));
  load->Signal(SIGINT);
  const auto end = load->Wait(kPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 130);
  const json said = json::parse(load->unread(), nullptr, false);
  ASSERT_TRUE(said.is_object()) << load->unread();
  EXPECT_EQ(said["interrupted"], true);
  EXPECT_GT(said["apps"][0]["ok"], 0);
}

TEST_F(Commands, LoadSendsATrace) {
  const auto trace = cluster().Write("arrivals.csv", "arrival_s,application\n0.2,base\n0,base\n0.1,other\n");
  const json said = Json({"load", "base", "--trace", trace});
  EXPECT_EQ(said["mode"], "trace");
  EXPECT_EQ(said["apps"][0]["sent"], 2) << said;
  EXPECT_EQ(said["apps"][0]["ok"], 2) << said;
  const auto rated = Run({"load", "base=3", "--trace", trace});
  EXPECT_EQ(rated.exit_code, 1);
  EXPECT_THAT(rated.err, HasSubstr("'base' has a rate"));
  const auto broken = Run({"load", "--trace", cluster().Write("broken.csv", "arrival_s\nsoon\n")});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, HasSubstr("broken.csv:2: arrival_s must be a number"));
}

TEST_F(Commands, LoadFindsTheEndpointOfItsProtocol) {
  const json said = Json({"load", "base=20", "--protocol", "http", "--arrival", "periodic", "--duration", "0.3"});
  EXPECT_EQ(said["apps"][0]["ok"], 6) << said;
  EXPECT_EQ(Json({"node", "list"})["nodes"][0]["rest_address"], cluster().rest());
}

TEST_F(Commands, LoadInAClosedLoopSaysSo) {
  const json said = Json({"load", "base", "--concurrency", "2", "--duration", "0.3"});
  EXPECT_EQ(said["mode"], "closed_loop");
  EXPECT_EQ(said["concurrency"], 2);
  EXPECT_GT(said["apps"][0]["ok"], 2) << said;
  const auto table = Run({"load", "base", "--concurrency", "1", "--duration", "0.2"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("Closed loop, 1 in flight"), HasSubstr("Generator (grpc): sent")));
}

TEST_F(Commands, LoadOnWhatIsNotServedExits1AndSaysWhy) {
  const auto unknown = Run({"load", "nobody"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("'nobody'"));
  const auto unserved = Run({"load", "nobody=1", "--endpoint", cluster().inference()});
  EXPECT_EQ(unserved.exit_code, 1);
  EXPECT_THAT(unserved.err, AllOf(HasSubstr("nobody"), HasSubstr("is not found")));
  const auto rate = Run({"load", "base=fast"});
  EXPECT_EQ(rate.exit_code, 1);
  EXPECT_THAT(rate.err, HasSubstr("base=fast"));
}

TEST_F(Commands, AnAnswerThatTakesTooLongExits4) {
  const auto result = Run({"model", "profile", "mobilenet_v1", "--device", "box/tpu0", "--timeout", "0.2"});
  EXPECT_EQ(result.exit_code, 4) << result.out << result.err;
  EXPECT_THAT(result.err, StartsWith("error: "));
  const json said = JsonOf({"model", "profile", "mobilenet_v1", "--device", "box/tpu0", "--timeout", "0.2"}, 4);
  EXPECT_TRUE(said.contains("error")) << said;
}

} // namespace
} // namespace avocet

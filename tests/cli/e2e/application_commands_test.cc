#include "tests/cli/e2e/commands_fixture.h"

// The life of an application on the command line.
namespace avocet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::vector<std::string> kAppKeys{"name",     "model",         "tenant",       "priority",     "rate_rps",
                                        "rate",     "arrival",       "objective",    "device_kinds", "phase",
                                        "reason",   "device",        "emulated",     "utilization",  "predicted",
                                        "measured", "objective_met", "loaded_model", "epoch"};

/// As programs rely on them.
void ExpectDecisionKeys(const json& decision) {
  EXPECT_THAT(decision, HasKeys({"v", "decision", "view_version", "device", "moves", "verdicts", "max_rate_rps"}));
  ASSERT_EQ(decision["verdicts"].size(), 3) << "one for every device";
  for (const auto& verdict : decision["verdicts"]) {
    EXPECT_THAT(verdict, HasKeys({"device", "node", "ok", "filter", "needed", "found", "unit", "utilization_before",
                                  "utilization_after", "apps"}));
    EXPECT_EQ(verdict["filter"].is_null(), verdict["ok"].get<bool>()) << verdict;
    for (const auto& app : verdict["apps"])
      EXPECT_THAT(app, HasKeys({"name", "statistic", "objective_ms", "before_ms", "after_ms"}));
  }
}

class AppCommands : public Commands {};

TEST_F(AppCommands, PlanDecidesAndChangesNothing) {
  const auto file = cluster().Write({.name = "planned", .model = "resnet18"});
  const json plan = JsonOf({"app", "plan", file}, 0);
  ExpectDecisionKeys(plan);
  EXPECT_EQ(plan["decision"], "admit");
  EXPECT_EQ(plan["device"], "box/gpu0");
  EXPECT_GT(plan["max_rate_rps"], 2);
  const json gpu = Find(plan["verdicts"], "device", "box/gpu0");
  EXPECT_EQ(gpu["ok"], true);
  EXPECT_GT(gpu["utilization_after"], gpu["utilization_before"]);
  EXPECT_TRUE(Find(gpu["apps"], "name", "planned")["before_ms"].is_null());
  EXPECT_TRUE(Find(gpu["apps"], "name", "base")["before_ms"].is_number());
  const auto table = Run({"app", "plan", file});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, AllOf(StartsWith("ADMITTED planned"), HasSubstr("box/gpu0 (emulated)"), HasSubstr("FILTER"),
                               HasSubstr("planned (new)")));
  EXPECT_FALSE(IsListed("planned"));
}

TEST_F(AppCommands, PlanWithoutAProfileExits2AndNamesTheCommand) {
  const auto file = cluster().Write({.name = "unmeasured", .model = "googlenet"});
  const json plan = JsonOf({"app", "plan", file}, 2);
  EXPECT_EQ(plan["decision"], "reject");
  EXPECT_EQ(Find(plan["verdicts"], "device", "box/gpu0")["filter"], "profile");
  const auto table = Run({"app", "plan", file});
  EXPECT_EQ(table.exit_code, 2);
  EXPECT_THAT(table.out,
              AllOf(StartsWith("REJECTED"), HasSubstr("`avocet model profile googlenet:1 --device box/gpu0`")));
}

TEST_F(AppCommands, AModelThatNobodyImportedIsAnErrorAndTheNearestIsNamed) {
  const auto file = cluster().Write({.name = "stranger", .model = "resnet81"});
  for (const std::string verb : {"plan", "apply"}) {
    const auto table = Run({"app", verb, file});
    EXPECT_EQ(table.exit_code, 1) << verb;
    EXPECT_THAT(table.err, AllOf(HasSubstr("model 'resnet81' of application 'stranger' is not imported"),
                                 HasSubstr("did you mean 'resnet18'?"), HasSubstr("avocet model import")));
    EXPECT_EQ(table.out, "");
  }
  EXPECT_EQ(JsonOf({"app", "plan", file}, 1)["error"]["code"], "not_found");
}

TEST_F(AppCommands, ApplyingTheSameAgainSaysSoAndTellsNobody) {
  const AppFile app{.name = "steady", .model = "resnet18"};
  const auto file = cluster().Write(app);
  EXPECT_THAT(Run({"app", "apply", file}).out, AllOf(StartsWith("ADMITTED steady"), HasSubstr("steady (new)")));
  const auto last = [] { return Json({"events"})["events"].back()["sequence"]; };
  const json before = last();
  const auto again = Run({"app", "apply", file});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.out, StartsWith("UNCHANGED steady"));
  EXPECT_EQ(last(), before) << "nothing happened";
  EXPECT_EQ(JsonOf({"app", "apply", file}, 0)["changes"], false);
  const json other =
      JsonOf({"app", "plan", cluster().Write({.name = "steady", .model = "resnet18", .rate_rps = 3})}, 0);
  EXPECT_EQ(other["changes"], true);
  EXPECT_EQ(other["loaded_model"], "resnet18:1");
}

TEST_F(AppCommands, DetailedExitCodeTellsWhetherApplyWouldChangeSomething) {
  AppFile app{.name = "detailed", .model = "resnet18"};
  const std::vector<std::string> plan{"app", "plan", cluster().Write(app), "--detailed-exitcode"};
  EXPECT_EQ(Run(plan).exit_code, 3) << "it is new";
  Apply(app);
  EXPECT_EQ(Run(plan).exit_code, 0) << "it is as the file says";
  app.rate_rps = 3;
  (void)cluster().Write(app);
  EXPECT_EQ(Run(plan).exit_code, 3) << "another rate";
  app.p95_ms = 1;
  (void)cluster().Write(app);
  EXPECT_EQ(Run(plan).exit_code, 2) << "no device is that fast";
  EXPECT_EQ(Run({"app", "plan", (cluster().folder() / "detailed.toml").string()}).exit_code, 2);
}

TEST_F(AppCommands, ApplyOfTheImpossibleExits2AndIsExplained) {
  const auto file = cluster().Write({.name = "hasty", .model = "resnet18", .p95_ms = 5});
  const json decision = JsonOf({"app", "apply", file}, 2);
  ExpectDecisionKeys(decision);
  EXPECT_EQ(decision["decision"], "reject");
  EXPECT_TRUE(decision["device"].is_null());
  const json gpu = Find(decision["verdicts"], "device", "box/gpu0");
  EXPECT_EQ(gpu["ok"], false);
  EXPECT_GT(gpu["found"], gpu["needed"]) << gpu;
  EXPECT_EQ(gpu["unit"], "ms");
  const auto table = Run({"app", "apply", file});
  EXPECT_EQ(table.exit_code, 2);
  EXPECT_THAT(table.out, StartsWith("REJECTED hasty"));
  EXPECT_FALSE(IsListed("hasty"));
  EXPECT_EQ(Json({"app", "explain", "hasty"})["decision"], "reject");
}

TEST_F(AppCommands, ApplyMeasuresAModelFirst) {
  const AppFile app{.name = "sorter", .model = "mobilenet_v1", .kind = "edgetpu"};
  const auto table = Run({"app", "apply", cluster().Write(app)});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(StartsWith("ADMITTED sorter"), HasSubstr("box/tpu0")));
  EXPECT_THAT(table.err, HasSubstr("ready")) << "progress is for stderr";
  EXPECT_EQ(Json({"app", "status", "sorter"})["phase"], "ready");
}

TEST_F(AppCommands, ApplyAgainChangesTheRateInPlace) {
  AppFile app{.name = "growing", .model = "resnet18"};
  Apply(app);
  const json before = Json({"app", "status", "growing"});
  app.rate_rps = 4;
  Apply(app);
  const json after = Json({"app", "status", "growing"});
  EXPECT_EQ(after["rate_rps"], 4);
  EXPECT_EQ(after["epoch"], before["epoch"]) << "it was not started again";
  EXPECT_EQ(after["phase"], "ready");
}

TEST_F(AppCommands, ListAndStatusShowPredictionAndMeasurement) {
  EXPECT_EQ(Run({"load", "base=20", "--arrival", "periodic", "--duration", "0.5", "-q"}).exit_code, 0);
  ASSERT_TRUE(Eventually([] { return Json({"app", "status", "base"})["measured"]["requests"] > 0; }, kPatience));
  const json base = Json({"app", "status", "base"});
  EXPECT_EQ(base["v"], 1);
  EXPECT_THAT(base, HasKeys(kAppKeys));
  EXPECT_THAT(base["objective"], HasKeys({"statistic", "latency_ms"}));
  EXPECT_THAT(base["predicted"], HasKeys({"mean_ms", "p50_ms", "p95_ms", "p99_ms"}));
  EXPECT_THAT(base["measured"],
              HasKeys({"requests", "failures", "refusals", "rate_rps", "mean_ms", "p50_ms", "p95_ms", "p99_ms"}));
  for (const char* stretch : {"1m", "5m", "60m", "total"}) {
    EXPECT_THAT(base["measured"][stretch],
                HasKeys({"requests", "rate_rps", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "refused", "expired"}));
    EXPECT_GT(base["measured"][stretch]["requests"], 0) << stretch;
  }
  EXPECT_EQ(base["device"], "box/gpu0");
  EXPECT_EQ(base["objective_met"], true);
  EXPECT_GT(base["measured"]["mean_ms"], 10);
  EXPECT_THAT(Find(Json({"app", "list"})["apps"], "name", "base"), HasKeys(kAppKeys));
  const auto list = Run({"app", "list"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_THAT(list.out, AllOf(HasSubstr("APPLICATION"), HasSubstr("base"), HasSubstr("p95 <= 2000 ms")));
  const auto status = Run({"app", "status", "base"});
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_THAT(status.out, AllOf(HasSubstr("box/gpu0 (emulated)"), HasSubstr("predicted"), HasSubstr("measured")));
}

TEST_F(AppCommands, ExplainRepeatsTheLastDecision) {
  const json decision = Json({"app", "explain", "base"});
  ExpectDecisionKeys(decision);
  EXPECT_EQ(decision["app"]["name"], "base");
  EXPECT_EQ(decision["decision"], "admit");
  const auto table = Run({"app", "explain", "base"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, StartsWith("ADMITTED base"));
}

TEST_F(AppCommands, RmTakesItAwayAndItsRouteToo) {
  Apply({.name = "gone", .model = "resnet18"});
  EXPECT_EQ(Json({"app", "rm", "gone"}), (json{{"v", 1}, {"removed", "gone"}}));
  EXPECT_FALSE(IsListed("gone"));
  EXPECT_TRUE(Eventually(
      [] {
        return Run({"load", "gone=5", "--endpoint", cluster().inference(), "--duration", "0.1"}).exit_code == 1;
      },
      kPatience));
  Apply({.name = "gone", .model = "resnet18"});
  const auto table = Run({"app", "rm", "gone"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_EQ(table.out, "removed gone\n");
}

TEST_F(AppCommands, WhatDoesNotExistExits1AndIsNamed) {
  for (const std::string verb : {"status", "explain", "rm"}) {
    const auto table = Run({"app", verb, "nobody"});
    EXPECT_EQ(table.exit_code, 1) << verb;
    EXPECT_THAT(table.err, AllOf(StartsWith("error: "), HasSubstr("'nobody'"))) << verb;
    EXPECT_THAT(JsonOf({"app", verb, "nobody"}, 1)["error"], HasKeys({"code", "message"})) << verb;
  }
}

TEST_F(AppCommands, AnApplicationMovesWhenItsFileAllowsAnotherKindOnly) {
  const auto both = cluster().Write("both.toml", R"(description = "runs on either kind"
[[input]]
name = "image"
datatype = "UINT8"
shape = [1, 8]
[[output]]
name = "scores"
datatype = "UINT8"
shape = [1, 8]
[device.gpu]
service_ms = 2.0
memory_mb = 10
[device.edgetpu]
service_ms = 1.0
switch_ms = 1.0
memory_mb = 10
)");
  ASSERT_TRUE(Json({"model", "import", both}).is_object());
  AppFile app{.name = "mover", .model = "both", .kind = "gpu"};
  Apply(app);
  EXPECT_EQ(Json({"app", "status", "mover"})["device"], "box/gpu0");
  app.kind = "edgetpu";
  Apply(app);
  EXPECT_EQ(Json({"app", "status", "mover"})["device"], "box/tpu0");
  const auto load = Run({"load", "mover=20", "--arrival", "periodic", "--duration", "0.3", "-q"});
  EXPECT_EQ(load.exit_code, 0) << load.out << load.err;
}

} // namespace
} // namespace avocet

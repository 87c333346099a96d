// Applications as clients apply, plan and remove them, and the profiles that deciding on them needs.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <gmock/gmock.h>

#include "tests/actors/controller/placement_actor_fixture.h"

namespace avocet {
namespace {

TEST_F(PlacementActorTest, ProfilesAdmitsAndCommands) {
  ReadyForApps();
  auto decision = Apply("cam");
  ASSERT_TRUE(decision.ok()) << decision.status().ToString();
  EXPECT_EQ(decision->kind, DecisionKind::kAdmit);
  EXPECT_EQ(fake->profiles.size(), 1U);
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_EQ(fake->commands[0].kind, CommandKind::kStart);
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kStarting);
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n1"), ReportOf(fake->commands[0])}).ok());
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kReady);
}

TEST_F(PlacementActorTest, HasTheDecisionOnDiskBeforeItCommands) {
  ReadyForApps();
  ASSERT_TRUE(Apply("first").ok());
  fake->commands.clear();
  control->fail = true;
  EXPECT_EQ(Apply("cam").status(), Unavailable("the disk is full"));
  EXPECT_TRUE(fake->commands.empty());
  control->fail = false;
  EXPECT_EQ(Ask<AppStatus>(snapshots, GetApp{AppId("cam")}).status().code(), StatusCode::kNotFound);
}

TEST_F(PlacementActorTest, AnswersWhenItsStoreIsDead) {
  ReadyForApps();
  ASSERT_TRUE(Apply("first").ok());
  Kill(store);
  EXPECT_EQ(Apply("cam").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Ask<RemovedApp>(placement, RemoveApp{AppId("first")}).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Ask<AppStatus>(snapshots, GetApp{AppId("first")}).ok()) << "a removal that failed changes nothing";
  EXPECT_EQ(Ask<Model>(placement, ImportModel{{.name = "m", .variants = {{ModelFormat::kOnnx, Sha256Of("x"), 1}}}})
                .status()
                .code(),
            StatusCode::kUnavailable);
  EXPECT_EQ(BringUp("n2").code(), StatusCode::kUnavailable);
}

TEST_F(PlacementActorTest, PlansWithoutChangingAnything) {
  ReadyForApps();
  ASSERT_TRUE(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).ok());
  const int writes = control->writes;
  auto plan = Ask<Decision>(placement, PlanApp{MakeApp("cam", "pose", {.rate_rps = 5})});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->kind, DecisionKind::kAdmit);
  EXPECT_EQ(control->writes, writes);
  EXPECT_TRUE(fake->commands.empty());
  auto decision = Apply("cam");
  plan->decided_at = decision->decided_at = {};
  EXPECT_EQ(*plan, *decision) << "the dry run is the decision";
}

TEST_F(PlacementActorTest, TheVerdictSaysWhyAModelCouldNotBeMeasured) {
  ReadyForApps();
  fake->profile_answer = InvalidArgument("the engine's words");
  const auto decision = Apply("cam");
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->kind, DecisionKind::kReject);
  const auto says = testing::HasSubstr("could not be measured on device type 'test device': the engine's words");
  EXPECT_THAT(decision->verdicts.at(0).detail, says);
  const auto plan = Ask<Decision>(placement, PlanApp{MakeApp("cam", "pose", {.rate_rps = 5})});
  EXPECT_THAT(plan->verdicts.at(0).detail, says) << "a plan measures nothing, but knows";

  fake->profile_answer = {};
  EXPECT_EQ(Apply("cam")->kind, DecisionKind::kAdmit);
}

TEST_F(PlacementActorTest, AModelIsMeasuredWithItsSamplesFromThenOn) {
  ReadyForApps();
  const std::vector<SampleInput> samples{{.name = "x", .fill = SampleFill::kRandom, .seed = 3}};
  ASSERT_TRUE(Ask<ProfileList>(placement, ProfileModel{"pose", {}, samples}).ok());
  EXPECT_EQ(fake->profiles.at(0).samples, samples);
  Restart();
  ASSERT_TRUE(BringUp().ok());
  ASSERT_TRUE(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).ok());
  EXPECT_EQ(fake->profiles.at(1).samples, samples) << "they are on disk";
}

TEST_F(PlacementActorTest, SamplesThatItDoesNotRunOnAreNotKept) {
  ReadyForApps();
  fake->profile_answer = InvalidArgument("it does not run on these");
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"pose", {}, {{.name = "x"}}}).status(), fake->profile_answer);
  const Status unknown = Ask<ProfileList>(placement, ProfileModel{"pose", {}, {{.name = "z"}}}).status();
  EXPECT_THAT(unknown.message(), testing::HasSubstr("the model has no input 'z'; it has x FP32[1]"));
  fake->profile_answer = {};
  ASSERT_TRUE(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).ok());
  EXPECT_TRUE(fake->profiles.back().samples.empty());
}

TEST_F(PlacementActorTest, SamplesThatAreNotUploadedAreRefused) {
  ReadyForApps();
  const SampleInput sample{.name = "x", .fill = SampleFill::kFile, .file = Sha256Of("nowhere"), .size_bytes = 4};
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"pose", {}, {sample}}).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(fake->profiles.empty());
}

TEST_F(PlacementActorTest, RefusesInvalidApplications) {
  auto app = MakeApp("cam", "pose");
  app.rate_rps = -1;
  EXPECT_EQ(Ask<Decision>(placement, PlanApp{app}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Ask<Decision>(placement, ApplyApp{app}).status().code(), StatusCode::kInvalidArgument);
}

struct AppClaim {
  std::string field; ///< that the refusal names; empty: it may be applied
  std::function<void(Application&)> change;
};

/// Each field that a client may fill at its limit and one past it: what is taken can be read again.
TEST_F(PlacementActorTest, WhateverAClientAppliesCanBeReadAgain) {
  ReadyForApps();
  const std::vector<AppClaim> claims{
      {"", [](Application& a) { a.name = AppId(std::string(63, 'a')); }},
      {"name", [](Application& a) { a.name = AppId(std::string(64, 'a')); }},
      {"name", [](Application& a) { a.name = AppId("caf\xC3"); }},
      {"", [](Application& a) { a.model = std::string(63, 'm') + ":" + std::string(18, '9'); }},
      {"model", [](Application& a) { a.model = std::string(64, 'm'); }},
      {"model", [](Application& a) { a.model = "pose:" + std::string(19, '9'); }},
      {"", [](Application& a) { a.tenant = std::string(63, 't'); }},
      {"tenant", [](Application& a) { a.tenant = std::string(64, 't'); }},
      {"", [](Application& a) { a.priority = 100; }},
      {"priority", [](Application& a) { a.priority = 101; }},
      {"", [](Application& a) { a.rate_rps = kMaxRateRps; }},
      {"", [](Application& a) { a.rate_rps = std::numeric_limits<double>::denorm_min(); }},
      {"rate_rps", [](Application& a) { a.rate_rps = std::nextafter(kMaxRateRps, 2 * kMaxRateRps); }},
      {"rate_rps", [](Application& a) { a.rate_rps = std::numeric_limits<double>::quiet_NaN(); }},
      {"",
       [](Application& a) {
         a.arrival = {ArrivalKind::kScv, kMaxArrivalScv};
       }},
      {"scv",
       [](Application& a) {
         a.arrival = {ArrivalKind::kScv, kMaxArrivalScv + 1};
       }},
      {"", [](Application& a) { a.objective.latency = kMaxLatency; }},
      {"", [](Application& a) { a.objective.latency = Duration(1); }},
      {"objective.latency", [](Application& a) { a.objective.latency = kMaxLatency + Duration(1); }},
      {"", [](Application& a) { a.network_allowance = a.objective.latency - Duration(1); }},
      {"network_allowance", [](Application& a) { a.network_allowance = a.objective.latency; }},
      {"", [](Application& a) { a.preprocess = kMaxLatency; }},
      {"preprocess", [](Application& a) { a.preprocess = kMaxLatency + Duration(1); }},
      {"device_kinds", [](Application& a) {
         a.device_kinds = {DeviceKind::kGpu, DeviceKind::kGpu};
       }}};
  for (size_t i = 0; i < claims.size(); ++i) {
    SCOPED_TRACE("claim " + std::to_string(i) + ": " + claims[i].field);
    Application app = MakeApp("cam" + std::to_string(i), "pose");
    claims[i].change(app);
    const auto decision = Ask<Decision>(placement, ApplyApp{app, {}});
    if (claims[i].field.empty() && app.model != "pose") {
      EXPECT_EQ(decision.status().code(), StatusCode::kNotFound) << "a valid name, of a model that nobody imported";
    } else if (claims[i].field.empty()) {
      EXPECT_TRUE(decision.ok()) << decision.status().ToString();
    } else {
      EXPECT_EQ(decision.status().code(), StatusCode::kInvalidArgument);
      EXPECT_NE(decision.status().message().find("field '" + claims[i].field + "'"), std::string::npos);
    }
    Restart();
    ASSERT_TRUE(BringUp().ok());
  }
  const auto events = Ask<EventList>(placement, ListEvents{})->events;
  EXPECT_TRUE(std::none_of(events.begin(), events.end(), [](const Event& e) { return e.kind == "record_set_aside"; }));
}

TEST_F(PlacementActorTest, RejectsWithReasonsAndExplainsLater) {
  ReadyForApps();
  auto decision = Apply("flood", 1000);
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->kind, DecisionKind::kReject);
  EXPECT_TRUE(fake->commands.empty());
  auto explained = Ask<Decision>(snapshots, ExplainApp{AppId("flood")});
  ASSERT_TRUE(explained.ok());
  EXPECT_EQ(explained->verdicts.size(), 1U);
  EXPECT_TRUE(explained->verdicts[0].filter.has_value());
  EXPECT_EQ(Ask<Decision>(snapshots, ExplainApp{AppId("nobody")}).status().code(), StatusCode::kNotFound);
}

TEST_F(PlacementActorTest, RefusesAModelThatNobodyImportedAndNamesTheNearest) {
  ReadyForApps();
  const int writes = control->writes;
  for (const Status& refused : {Ask<Decision>(placement, ApplyApp{MakeApp("cam", "posse")}).status(),
                                Ask<Decision>(placement, PlanApp{MakeApp("cam", "pose:2")}).status()}) {
    EXPECT_EQ(refused.code(), StatusCode::kNotFound);
    EXPECT_NE(refused.message().find("did you mean 'pose"), std::string::npos) << refused.message();
  }
  EXPECT_EQ(control->writes, writes) << "a slip of the file is no decision";
}

TEST_F(PlacementActorTest, ApplyingTheSameAgainCommandsAndWritesNothing) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  const int writes = control->writes;
  ASSERT_TRUE(Apply("cam").ok());
  EXPECT_EQ(control->writes, writes) << "no event: nothing happened";
  EXPECT_EQ(fake->commands.size(), 1U);
  ASSERT_TRUE(Apply("cam", 6).ok());
  EXPECT_EQ(fake->commands.size(), 1U) << "another rate needs no other copy";
  EXPECT_EQ(Ask<AppStatus>(snapshots, GetApp{AppId("cam")})->app.rate_rps, 6);
}

TEST_F(PlacementActorTest, RemovesAndStops) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  ASSERT_TRUE(Ask<RemovedApp>(placement, RemoveApp{AppId("cam")}).ok());
  ASSERT_EQ(fake->commands.size(), 2U);
  EXPECT_EQ(fake->commands[1].kind, CommandKind::kStop);
  EXPECT_EQ(fake->commands[1].epoch, fake->commands[0].epoch) << "it names the copy that it ends";
  EXPECT_TRUE(Ask<AppList>(snapshots, ListApps{})->apps.empty());
  EXPECT_EQ(Ask<RemovedApp>(placement, RemoveApp{AppId("cam")}).status().code(), StatusCode::kNotFound);
}

TEST_F(PlacementActorTest, ProfileFailuresAreReported) {
  ReadyForApps();
  fake->profile_answer = Internal("the device burned down");
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).status(), fake->profile_answer);
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"unknown", {}}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"pose", DeviceId("n1/tpu9")}).status().code(),
            StatusCode::kNotFound);
  auto decision = Apply("cam");
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->kind, DecisionKind::kReject);
  EXPECT_EQ(decision->verdicts[0].filter, FilterKind::kProfile);
}

TEST_F(PlacementActorTest, AProfileOfWhatWasNotAskedIsNotTaken) {
  ReadyForApps();
  fake->change_profile = [](Profile& profile) { profile.device_type = "another device"; };
  const auto answer = Ask<ProfileList>(placement, ProfileModel{"pose", {}});
  EXPECT_EQ(answer.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(answer.status().message().find("field 'device_type'"), std::string::npos) << answer.status().message();
  EXPECT_TRUE(Ask<ModelList>(snapshots, ListModels{})->models.at(0).profiles.empty());
  Restart();
  EXPECT_TRUE(Ask<ModelList>(snapshots, ListModels{})->models.at(0).profiles.empty());
}

TEST_F(PlacementActorTest, ADeadAgentIsNotWaitedFor) {
  ReadyForApps();
  Kill(agent);
  EXPECT_EQ(Ask<ProfileList>(placement, ProfileModel{"pose", {}}).status().code(), StatusCode::kUnavailable);
}

TEST_F(PlacementActorTest, AFailedApplicationIsStartedAgainWhenItsModelIsImportedAgain) {
  ReadyForApps();
  ASSERT_TRUE(Apply("cam").ok());
  const Command first = fake->commands.back();
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n1"), ReportOf(first, PlacementPhase::kFailed)}).ok());
  ASSERT_EQ(PhaseOf("cam"), PlacementPhase::kFailed);
  fake->commands.clear();

  ASSERT_TRUE(Import().ok());
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_EQ(fake->commands[0].kind, CommandKind::kStart);
  EXPECT_GT(fake->commands[0].epoch, first.epoch);
  EXPECT_EQ(PhaseOf("cam"), PlacementPhase::kStarting);
  ASSERT_TRUE(Ask<Done>(placement, ReportRunning{NodeId("n1"), ReportOf(fake->commands[0])}).ok());
  ASSERT_TRUE(Import().ok());
  EXPECT_EQ(fake->commands.size(), 1U) << "one that serves is left alone";
}

} // namespace
} // namespace avocet

#include "controller/placement/moves.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/cluster/cluster_changes.h"
#include "controller/placement/judge.h"
#include "tests/controller/placement/any_view.h"
#include "tests/controller/placement/asked.h"

namespace avocet::testing {
namespace {

/// The newcomer fits nowhere: "big" needs what "small" occupies, and "small" could go to the other device.
ClusterView Crowded() {
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000}).Device("b/gpu", {.memory_mib = 300});
  builder.Model("big:1", {.memory_mib = 900}).Model("small:1", {.memory_mib = 200});
  builder.Resident(MakeApp("s", "small"), "a/gpu");
  return builder.Build();
}

TEST(Moves, MakeRoomWhereTheyMay) {
  const auto decision = Decide(Crowded(), MakeApp("b", "big"), {.max_moves = 1});
  EXPECT_TRUE(Validate(decision).ok()) << Validate(decision).ToString();
  EXPECT_EQ(decision.kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision.device, DeviceId("a/gpu"));
  EXPECT_EQ(decision.moves, (std::vector<Move>{{AppId("s"), DeviceId("a/gpu"), DeviceId("b/gpu")}}));
}

TEST(Moves, AreNotProposedWithoutLeave) {
  const auto decision = Decide(Crowded(), MakeApp("b", "big"), {.max_moves = 0});
  EXPECT_EQ(decision.kind, DecisionKind::kReject);
  EXPECT_TRUE(decision.moves.empty());
}

TEST(Moves, SeveralWhereOneIsNotEnough) {
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000}).Device("b/gpu", {.memory_mib = 450});
  builder.Model("big:1", {.memory_mib = 900}).Model("s1:1", {.memory_mib = 200}).Model("s2:1", {.memory_mib = 200});
  builder.Resident(MakeApp("s1", "s1"), "a/gpu").Resident(MakeApp("s2", "s2"), "a/gpu");
  EXPECT_EQ(Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kReject);
  const auto decision = Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 2});
  EXPECT_EQ(decision.kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision.moves.size(), 2u);
}

TEST(Moves, OneMakesRoomForAnother) {
  // "big" needs the first device, "s" of it only the second has memory for, once "t" has gone to the third.
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000})
      .Device("b/gpu", {.memory_mib = 500})
      .Device("c/gpu", {.memory_mib = 250});
  builder.Model("big:1", {.memory_mib = 900}).Model("s:1", {.memory_mib = 400}).Model("t:1", {.memory_mib = 200});
  builder.Resident(MakeApp("s", "s"), "a/gpu").Resident(MakeApp("t", "t"), "b/gpu");
  EXPECT_EQ(Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kReject);
  const auto decision = Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 2});
  ASSERT_EQ(decision.kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision.moves, (std::vector<Move>{{AppId("t"), DeviceId("b/gpu"), DeviceId("c/gpu")},
                                               {AppId("s"), DeviceId("a/gpu"), DeviceId("b/gpu")}}));
}

TEST(Moves, TwoLeaveAndOneOfThemNeedsRoom) {
  // "r" finds room on the second device at once; "s" only there too, once "t" has gone to the third.
  ViewBuilder builder;
  builder.Device("a/gpu", {.memory_mib = 1000})
      .Device("b/gpu", {.memory_mib = 550})
      .Device("c/gpu", {.memory_mib = 250});
  builder.Model("big:1", {.memory_mib = 950}).Model("s:1", {.memory_mib = 400});
  builder.Model("r:1", {.memory_mib = 100}).Model("t:1", {.memory_mib = 200});
  builder.Resident(MakeApp("r", "r"), "a/gpu").Resident(MakeApp("s", "s"), "a/gpu");
  builder.Resident(MakeApp("t", "t"), "b/gpu");
  EXPECT_EQ(Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 2}).kind, DecisionKind::kReject);
  const auto decision = Decide(builder.Build(), MakeApp("b", "big"), {.max_moves = 3});
  ASSERT_EQ(decision.kind, DecisionKind::kAdmitWithMoves);
  EXPECT_EQ(decision.moves.size(), 3u);
  EXPECT_EQ(decision.device, DeviceId("a/gpu"));
}

TEST(Moves, LeaveAloneWhoIsNotServing) {
  auto view = Crowded();
  view.placements.at(AppId("s")).phase = PlacementPhase::kLost;
  EXPECT_EQ(Decide(view, MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kReject);
}

TEST(Moves, GoNowhereThatIsNotHealthy) {
  for (const auto health : {DeviceHealth::kAway, DeviceHealth::kDraining}) {
    auto view = Crowded();
    view.devices.at(DeviceId("b/gpu")).health = health;
    EXPECT_EQ(Decide(view, MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kReject) << ToString(health);
  }
}

TEST(Moves, KeepToTheKindsOfTheMover) {
  auto view = Crowded();
  view.devices.at(DeviceId("b/gpu")).spec.kind = DeviceKind::kCpu;
  ASSERT_EQ(Decide(view, MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kAdmitWithMoves);
  view.apps.at(AppId("s")).device_kinds = {DeviceKind::kGpu};
  EXPECT_EQ(Decide(view, MakeApp("b", "big"), {.max_moves = 1}).kind, DecisionKind::kReject);
}

TEST(Moves, OnlyWhoServesOrStartsMayGo) {
  for (const auto& [phase, may] : {std::pair(PlacementPhase::kReady, true),
                                   {PlacementPhase::kStarting, true},
                                   {PlacementPhase::kLost, false},
                                   {PlacementPhase::kFailed, false}}) {
    auto view = Crowded();
    view.placements.at(AppId("s")).phase = phase;
    const auto kind = Decide(view, MakeApp("b", "big"), {.max_moves = 1}).kind;
    EXPECT_EQ(kind == DecisionKind::kAdmitWithMoves, may) << ToString(phase);
  }
}

TEST(Moves, BaselinesMakeNone) {
  for (const auto placement : {PlacementPolicy::kPaperBfs, PlacementPolicy::kMemoryFirst}) {
    const Policy policy{.memory_fraction = 1, .placement = placement, .max_moves = 3};
    EXPECT_EQ(Decide(Crowded(), MakeApp("b", "big"), policy).kind, DecisionKind::kReject) << ToString(placement);
  }
}

TEST(FindMoves, IsNulloptWhereNobodyMayMove) {
  const Asked none(Crowded(), MakeApp("b", "big"), {.max_moves = 0});
  EXPECT_FALSE(FindMoves(none.question));
  const Asked absent(Crowded(), MakeApp("b", "absent"), {.max_moves = 3});
  EXPECT_FALSE(FindMoves(absent.question));
}

TEST(FindMoves, SaysWhereTheNewcomerPassesThen) {
  const Asked asked(Crowded(), MakeApp("b", "big"), {.max_moves = 1});
  const auto plan = FindMoves(asked.question);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->device, 0U);
  EXPECT_TRUE(plan->occupancy[0].tenants.empty());
  ASSERT_EQ(plan->occupancy[1].tenants.size(), 1U);
  EXPECT_EQ(plan->occupancy[1].tenants[0].app->name, AppId("s"));
}

TEST(FindMoves, TakesTheWayThatLosesLessHeadroom) {
  // Either resident would make room. The target serves the one in 1 ms a request, the other in 30 ms.
  ViewBuilder builder;
  builder.Device("a/cpu", {.kind = DeviceKind::kCpu, .memory_mib = 1000});
  builder.Device("b/cpu", {.kind = DeviceKind::kCpu, .type = "other", .memory_mib = 200});
  builder.Model("big:1", {.memory_mib = 700});
  for (const auto& [model, there_ms] : {std::pair("dear", 30.0), {"cheap", 1.0}}) {
    const std::string id = std::string(model) + ":1";
    builder.Model(id, {.service_ms = 10, .memory_mib = 200});
    builder.Profile(id, {.device_type = "other", .service_ms = there_ms, .memory_mib = 200});
    builder.Resident(MakeApp(model, model, {.rate_rps = 10}), "a/cpu");
  }
  const Asked asked(builder.Build(), MakeApp("b", "big"), {.max_moves = 1});
  const auto plan = FindMoves(asked.question);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->moves, (std::vector<Move>{{AppId("cheap"), DeviceId("a/cpu"), DeviceId("b/cpu")}}));
}

TEST(AsNewcomer, HasTheModelAndTheRateThatItIsReckonedWith) {
  auto view = Crowded();
  AppFit fit{AppId("s"), {.mean = 30, .scv = 1, .weight = 400}};
  view.devices.at(DeviceId("a/gpu")).fit.apps = {fit};
  const Asked asked(view, MakeApp("b", "big"));
  const Newcomer resident = AsNewcomer(asked.view, asked.occupancy[0], 0);
  EXPECT_EQ(resident.app->name, AppId("s"));
  EXPECT_EQ(resident.model->id(), ModelId("small:1"));
  EXPECT_EQ(resident.rate_rps, AdmissionRate(*resident.app, view.devices.at(DeviceId("a/gpu")).fit));
  EXPECT_GT(resident.rate_rps, 30);
}

RC_GTEST_PROP(MovesProperties, PassingSurelyIsTheVerdictAfterSimulation, ()) {
  const Asked asked(AnyView(), AnyApp("new"));
  const auto device = *rc::gen::inRange<size_t>(0, asked.occupancy.size());
  Candidate candidate(asked.question, device);
  if (candidate.IsUnsure()) candidate.Simulate();
  RC_ASSERT(PassesSurely(asked.question, device) == VerdictOf(candidate).ok);
}

std::multiset<AppId> NamesOn(const Tenancy& tenancy) {
  std::multiset<AppId> names;
  for (const auto& tenant : tenancy.tenants)
    names.insert(tenant.app->name);
  return names;
}

/// A cluster in which little memory is left, so that newcomers need moves.
ClusterView AnyCrowded() {
  ViewBuilder builder;
  for (int m = 0; m < 6; ++m)
    builder.Model("m" + std::to_string(m) + ":1",
                  {.service_ms = Number(2, 20), .memory_mib = *rc::gen::inRange<uint64_t>(100, 350)});
  builder.Model("big:1", {.service_ms = 5, .memory_mib = 550});
  for (const std::string device : {"a/d", "b/d", "c/d"})
    builder.Device(device, {.memory_mib = *rc::gen::inRange<uint64_t>(600, 800)});
  ClusterView view = builder.Build();
  for (int i = 0; i < 4; ++i) {
    const std::string number = std::to_string(i);
    const auto app = MakeApp("r" + number, "m" + number, {.rate_rps = Number(1, 20), .latency_ms = Number(30, 300)});
    const auto decision = Decide(view, app, {.placement = PlacementPolicy::kUtilizationWorst, .max_moves = 0});
    if (decision.kind == DecisionKind::kAdmit) (void)AdmitApp(view, decision, static_cast<uint64_t>(i) + 1);
  }
  return view;
}

RC_GTEST_PROP(MovesProperties, ThePlanIsTheClusterAfterItsMovesAndEveryStepKeepsAll, ()) {
  const int most = *rc::gen::inRange(1, 4);
  Asked asked(AnyCrowded(), MakeApp("new", "big", {.latency_ms = 300}), {.max_moves = most});
  for (size_t d = 0; d < asked.occupancy.size(); ++d)
    RC_PRE(!PassesSurely(asked.question, d));
  const auto plan = FindMoves(asked.question);
  RC_CLASSIFY(plan.has_value(), "with a plan");
  if (!plan) return;
  RC_ASSERT(!plan->moves.empty() && plan->moves.size() <= static_cast<size_t>(most));
  ClusterView view = asked.view;
  std::set<AppId> moved;
  for (const auto& move : plan->moves) {
    RC_ASSERT(moved.insert(move.app).second);
    RC_ASSERT(view.placements.at(move.app).device == move.from);
    (void)MoveApp(view, move, 100 + moved.size());
    const Occupancy step(view, asked.policy, asked.app.name);
    for (size_t d = 0; d < step.size(); ++d) {
      RC_ASSERT(AssessBySimulation(step[d]).AllKept());
      RC_ASSERT(step[d].memory_bytes <= step[d].device->spec.memory_bytes);
    }
  }
  const Occupancy after(view, asked.policy, asked.app.name);
  for (size_t d = 0; d < after.size(); ++d)
    RC_ASSERT(NamesOn(after[d]) == NamesOn(plan->occupancy[d]));
}

} // namespace
} // namespace avocet::testing

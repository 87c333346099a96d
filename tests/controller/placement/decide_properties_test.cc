// Properties of Decide over random clusters. rapidcheck prints the seed of a failure.
#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/cluster/cluster_changes.h"
#include "controller/placement/decide.h"
#include "controller/placement/prediction_cache.h"
#include "controller/placement/rebalance.h"
#include "tests/controller/placement/any_view.h"

namespace avocet {
namespace {

const Verdict& Chosen(const Decision& decision) {
  for (const auto& verdict : decision.verdicts) {
    if (verdict.device == decision.device) return verdict;
  }
  throw std::logic_error("the chosen device has no verdict");
}

RC_GTEST_PROP(DecideProperties, DecisionsAreValidAndDependOnNothingElse, ()) {
  const auto view = AnyView();
  const auto app = AnyApp("new");
  const auto decision = Decide(view, app, {});
  RC_ASSERT(Validate(decision) == Status());
  RC_ASSERT(decision.verdicts.size() == view.devices.size());
  RC_ASSERT(decision == Decide(view, app, {}));
}

RC_GTEST_PROP(DecideProperties, EveryRefusalHasAFilterAndNumbers, ()) {
  const auto decision = Decide(AnyView(), AnyApp("new"), {});
  for (const auto& verdict : decision.verdicts) {
    RC_ASSERT(verdict.ok != verdict.filter.has_value());
    if (verdict.ok) continue;
    RC_ASSERT(verdict.unit != Unit::kNone);
    RC_ASSERT(!verdict.detail.empty());
    RC_ASSERT(verdict.needed != verdict.found);
  }
}

RC_GTEST_PROP(DecideProperties, RefusalsByNumberAreOnTheWrongSide, ()) {
  for (const auto& verdict : Decide(AnyView(), AnyApp("new"), {}).verdicts) {
    if (verdict.filter == FilterKind::kMemory) RC_ASSERT(verdict.found < verdict.needed);
    if (verdict.filter == FilterKind::kUtilization || verdict.filter == FilterKind::kObjectives)
      RC_ASSERT(verdict.found >= verdict.needed * (1 - 1e-4));
  }
}

RC_GTEST_PROP(DecideProperties, ChosenDeviceKeepsEveryPromise, ()) {
  const auto view = AnyView();
  const Policy policy;
  const auto decision = Decide(view, AnyApp("new"), policy);
  RC_PRE(decision.kind == DecisionKind::kAdmit);
  const auto& verdict = Chosen(decision);
  RC_ASSERT(verdict.utilization_after <= policy.max_utilization);
  const uint64_t usable = std::max(verdict.memory_capacity_bytes, verdict.memory_before_bytes);
  RC_ASSERT(verdict.memory_after_bytes <= usable);
  for (const auto& app : verdict.apps) {
    const double tolerance = app.statistic == Statistic::kMean ? policy.mean_tolerance : policy.percentile_tolerance;
    RC_ASSERT(app.after.has_value());
    RC_ASSERT(ToSeconds(*app.after) <= tolerance * ToSeconds(app.objective) * (1 + 1e-4));
  }
}

RC_GTEST_PROP(DecideProperties, FirstFitTakesTheFirstThatPasses, ()) {
  const auto decision = Decide(AnyView(), AnyApp("new"), {.placement = PlacementPolicy::kFirstFit, .max_moves = 0});
  RC_PRE(decision.kind == DecisionKind::kAdmit);
  const auto first =
      std::find_if(decision.verdicts.begin(), decision.verdicts.end(), [](const auto& v) { return v.ok; });
  RC_ASSERT(decision.device == first->device);
}

RC_GTEST_PROP(DecideProperties, EveryPolicyGivesAValidDecision, ()) {
  const auto view = AnyView();
  const auto app = AnyApp("new");
  for (const auto placement : kPlacementPolicies) {
    const auto decision = Decide(view, app, {.placement = placement});
    RC_ASSERT(Validate(decision) == Status());
    RC_ASSERT(decision.policy == placement);
  }
}

RC_GTEST_PROP(DecideProperties, ACacheChangesNothing, ()) {
  PredictionCache cache;
  auto view = AnyView();
  for (int i = 0; i < 4; ++i) {
    const auto app = AnyApp("new" + std::to_string(i));
    const auto decision = Decide(view, app, {}, cache);
    RC_ASSERT(decision == Decide(view, app, {}));
    if (decision.kind == DecisionKind::kAdmit) (void)AdmitApp(view, decision, 1000 + static_cast<uint64_t>(i));
  }
}

/// Makes a decision's moves one by one; each must be what a decision about the mover alone would allow.
void CheckMoves(ClusterView view, const Decision& decision, const Policy& policy) {
  uint64_t epoch = 1000;
  std::set<AppId> moved;
  RC_ASSERT(decision.moves.size() <= static_cast<size_t>(policy.max_moves));
  for (const auto& move : decision.moves) {
    RC_ASSERT(moved.insert(move.app).second);
    RC_ASSERT(view.placements.at(move.app).device == move.from);
    const auto alone = Decide(view, view.apps.at(move.app), policy);
    const auto there = std::find_if(alone.verdicts.begin(), alone.verdicts.end(),
                                    [&](const Verdict& verdict) { return verdict.device == move.to; });
    RC_ASSERT(there->ok || there->filter == FilterKind::kObjectives); // which a simulation may overrule, if it is asked
    (void)MoveApp(view, move, ++epoch);
  }
  const auto after = Decide(view, decision.app, policy);
  RC_ASSERT(after.kind == DecisionKind::kAdmit);
  RC_ASSERT(after.device == decision.device);
}

RC_GTEST_PROP(DecideProperties, MovesAreFeasibleInOrder, ()) {
  const Policy policy{.max_moves = *rc::gen::inRange(1, 4)};
  auto view = AnyView();
  int checked = 0;
  for (int i = 0; i < 12; ++i) { // fills the cluster until moves are needed
    const auto decision = Decide(view, AnyApp("new" + std::to_string(i)), policy);
    if (decision.kind == DecisionKind::kAdmit) (void)AdmitApp(view, decision, 100 + static_cast<uint64_t>(i));
    if (decision.kind != DecisionKind::kAdmitWithMoves) continue;
    CheckMoves(view, decision, policy);
    ++checked;
  }
  RC_CLASSIFY(checked > 0, "with moves");
}

/// Makes the moves of a rebalance from the last to the first: the order must not matter.
void CheckRebalance(ClusterView view, const RebalancePlan& plan) {
  std::set<DeviceId> gave, took;
  std::set<AppId> moved;
  for (auto one = plan.moves.rbegin(); one != plan.moves.rend(); ++one) {
    const Move& move = one->move;
    RC_ASSERT(view.placements.at(move.app).device == move.from);
    const auto alone = Decide(view, view.apps.at(move.app), {});
    const auto there = std::find_if(alone.verdicts.begin(), alone.verdicts.end(),
                                    [&](const Verdict& verdict) { return verdict.device == move.to; });
    RC_ASSERT(there->ok || there->filter == FilterKind::kObjectives); // which a simulation may overrule, if it is asked
    RC_ASSERT(moved.insert(move.app).second);
    gave.insert(move.from);
    took.insert(move.to);
    (void)MoveApp(view, move, 1000 + moved.size());
  }
  for (const auto& device : took)
    RC_ASSERT(!gave.contains(device));
  PredictionCache cache;
  RC_ASSERT(std::abs(PlanRebalance(view, {}, 0, cache).room_before - plan.room_after) < 1e-9);
}

RC_GTEST_PROP(DecideProperties, RebalancesAreFeasibleInAnyOrderAndMakeRoom, ()) {
  auto view = AnyView();
  for (int i = 0; i < 4; ++i)
    view.refused.push_back(AnyApp("refused" + std::to_string(i)));
  const int most = *rc::gen::inRange(0, 5);
  PredictionCache cache;
  const auto plan = PlanRebalance(view, {}, most, cache);
  RC_ASSERT(plan.moves.size() <= static_cast<size_t>(most));
  RC_ASSERT((plan.room_after > plan.room_before) == !plan.moves.empty());
  PredictionCache other;
  RC_ASSERT(plan == PlanRebalance(view, {}, most, other));
  RC_CLASSIFY(!plan.moves.empty(), "with moves");
  CheckRebalance(view, plan);
}

RC_GTEST_PROP(DecideProperties, AskingChangesNothing, ()) {
  // A dry run, then the real thing, then asking again for what is now placed: the same device.
  auto view = AnyView();
  const auto app = AnyApp("new");
  const auto dry = Decide(view, app, {}), real = Decide(view, app, {});
  RC_ASSERT(dry == real);
  RC_PRE(real.kind == DecisionKind::kAdmit);
  (void)AdmitApp(view, real, 1000);
  const auto again = Decide(view, app, {});
  RC_ASSERT(again.device == real.device);
  RC_ASSERT(again.verdicts == real.verdicts);
}

RC_GTEST_PROP(DecideProperties, LargestRatePassesAndIsNotBelowTheAdmittedRate, ()) {
  const auto view = AnyView();
  auto app = AnyApp("new");
  const Policy policy{.max_moves = 0};
  const auto decision = Decide(view, app, policy);
  if (decision.kind == DecisionKind::kAdmit) RC_ASSERT(decision.max_rate_rps >= app.rate_rps);
  RC_PRE(decision.max_rate_rps > 0);
  app.rate_rps = decision.max_rate_rps;
  RC_ASSERT(Decide(view, app, policy).kind == DecisionKind::kAdmit);
}

RC_GTEST_PROP(DecideProperties, WiderMarginsNeverAdmitLess, ()) {
  const auto view = AnyView();
  const auto app = AnyApp("new");
  const auto strict = Decide(view, app, {}), wide = Decide(view, app, {1, 1, 0.98, 1, 1});
  if (strict.kind == DecisionKind::kAdmit) RC_ASSERT(wide.kind == DecisionKind::kAdmit);
}

} // namespace
} // namespace avocet

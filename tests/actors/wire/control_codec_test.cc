#include "actors/wire/control_codec.h"

#include <gtest/gtest.h>

#include "tests/support/view_builder.h"

namespace avocet {
namespace {

AppStatus Sample() {
  AppStatus status{.app = MakeApp("cam", "pose"), .emulated = true, .utilization = 0.5};
  status.placement = Placement{.app = AppId("cam"),
                               .device = DeviceId("n1/gpu0"),
                               .model = ModelId("pose:1"),
                               .format = ModelFormat::kEmulated,
                               .file = FakeDigest("f"),
                               .epoch = 3,
                               .phase = PlacementPhase::kReady};
  status.predicted = LatencySummary{FromMillis(1), FromMillis(2), FromMillis(3), FromMillis(4)};
  status.measured.arrivals = 7;
  status.measured.response.Add(0.25);
  status.measured.response_sketch.Add(FromMillis(250));
  status.measured.rate = {1.5, 0.9, 30};
  status.recent.minute = {.arrivals = 1, .expired = 1, .measured = FromMillis(200)};
  status.recent.five_minutes.refusals = 5;
  status.recent.hour.response_sketch.Add(FromMillis(60));
  return status;
}

TEST(ControlCodec, RebalancePlanSurvivesTheRoundTrip) {
  RebalancePlan plan{.view_version = 7, .room_before = 1.5, .room_after = 2.25, .moves = {}, .executed = true};
  plan.moves.push_back({{AppId("cam"), DeviceId("n1/gpu0"), DeviceId("n2/gpu0")}, 0.5, 0.25, 0.125, 0.375, 2.25});
  EXPECT_EQ(*FromProto(ToProto(plan)), plan);
  EXPECT_TRUE(FromProto(ToProto(Rebalance{3, true}))->execute);
  EXPECT_EQ(FromProto(ToProto(Rebalance{3, true}))->max_moves, 3);
}

TEST(ControlCodec, AppStatusSurvivesTheRoundTrip) {
  const AppStatus before = Sample();
  auto after = FromProto(ToProto(before));
  ASSERT_TRUE(after.ok()) << after.status().ToString();
  EXPECT_EQ(after->app, before.app);
  EXPECT_EQ(after->placement, before.placement);
  EXPECT_EQ(after->predicted, before.predicted);
  EXPECT_EQ(after->emulated, before.emulated);
  EXPECT_EQ(after->utilization, before.utilization);
  EXPECT_EQ(after->measured, before.measured);
  EXPECT_EQ(after->recent, before.recent);
}

TEST(ControlCodec, WhatIsAbsentStaysAbsent) {
  AppStatus before = Sample();
  before.placement.reset();
  before.predicted.reset();
  auto after = FromProto(ToProto(before));
  ASSERT_TRUE(after.ok());
  EXPECT_FALSE(after->placement);
  EXPECT_FALSE(after->predicted);
}

TEST(ControlCodec, AnInvalidApplicationIsTheCallersFault) {
  v1::PlanAppRequest request;
  auto plan = FromProto(request);
  EXPECT_EQ(plan.status().code(), StatusCode::kInvalidArgument);
}

TEST(ControlCodec, ListsFailWithTheirFirstBadElement) {
  v1::AppList list;
  *list.add_apps() = ToProto(Sample());
  list.add_apps();
  EXPECT_FALSE(FromProto(list).ok());
  list.mutable_apps()->RemoveLast();
  EXPECT_EQ(FromProto(list)->apps.size(), 1U);
}

TEST(ControlCodec, NamesAreChecked) {
  v1::RemoveAppRequest request;
  request.set_app("../etc");
  EXPECT_EQ(FromProto(request).status().code(), StatusCode::kInvalidArgument);
}

} // namespace
} // namespace avocet

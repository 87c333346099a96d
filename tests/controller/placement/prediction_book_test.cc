#include "controller/placement/prediction_book.h"

#include <functional>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "controller/cluster/cluster_changes.h"
#include "controller/placement/describe.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

/// Two devices with two applications each.
ViewBuilder TwoDevices() {
  ViewBuilder builder;
  builder.Device("n1/d").Device("n2/d").Model("m:1", {.service_ms = 10}).Model("o:1", {.service_ms = 5});
  builder.Resident(MakeApp("a", "m"), "n1/d").Resident(MakeApp("b", "o"), "n1/d");
  return builder.Resident(MakeApp("c", "m"), "n2/d").Resident(MakeApp("d", "o"), "n2/d");
}

std::vector<std::optional<LatencySummary>> Predicted(const ClusterView& view, PredictionBook& book) {
  std::vector<std::optional<LatencySummary>> predicted;
  for (const auto& row : DescribeApps(view, book))
    predicted.push_back(row.predicted);
  return predicted;
}

TEST(PredictionBook, ComputesOncePerDeviceHoweverOftenAndHoweverManyApplicationsAreListed) {
  const ClusterView view = TwoDevices().Build();
  PredictionBook book;
  const auto first = Predicted(view, book);
  EXPECT_EQ(book.computed(), 2U);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(Predicted(ClusterView(view), book), first);
  (void)DescribeApp(view, AppId("a"), book);
  (void)PredictLatencies(view, DeviceId("n2/d"), book);
  EXPECT_EQ(book.computed(), 2U);
}

TEST(PredictionBook, ComputesOnlyWhatChangedAnew) {
  ClusterView view = TwoDevices().Build();
  PredictionBook book;
  const auto before = Predicted(view, book);
  view.apps[AppId("a")].rate_rps *= 2;
  const auto after = Predicted(view, book);
  EXPECT_EQ(book.computed(), 3U);
  EXPECT_GT(after[1]->mean, before[1]->mean);
  EXPECT_EQ(after[2], before[2]);
}

/// The same answers as with an empty book, whatever it saw before.
TEST(PredictionBook, EveryPartOfALoadCounts) {
  const auto ask = [](const ClusterView& view, PredictionBook& book) { return Predicted(view, book); };
  const ClusterView base = TwoDevices().Build();
  const std::vector<std::function<void(ClusterView&)>> changes = {
      [](ClusterView& view) { view.apps[AppId("a")].rate_rps = 3; },
      [](ClusterView& view) { view.apps[AppId("a")].arrival.scv = 4; },
      [](ClusterView& view) { view.devices[DeviceId("n1/d")].spec.discipline = Discipline::kFifo; },
      [](ClusterView& view) { view.profiles.begin()->second.service_mean *= 2; },
      [](ClusterView& view) { view.profiles.begin()->second.service_scv = 0.5; },
      [](ClusterView& view) { view.profiles.begin()->second.switch_overhead = std::chrono::milliseconds(3); },
      [](ClusterView& view) { view.placements.erase(AppId("b")); },
      [](ClusterView& view) { view.placements[AppId("b")].model = ModelId("m:1"); },
      [](ClusterView& view) { view.placements[AppId("a")].device = DeviceId("n2/d"); },
  };

  for (size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    for (const auto discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
      ClusterView view = base;
      for (auto& [id, device] : view.devices)
        device.spec.discipline = discipline;
      PredictionBook book, fresh;
      (void)ask(view, book);
      changes[i](view);
      EXPECT_EQ(ask(view, book), ask(view, fresh));
    }
  }
}

TEST(PredictionBook, ShowsNothingOfWhatItMayNotComputeAndDoesSoNextTime) {
  const ClusterView view = TwoDevices().Build();
  PredictionBook book;
  book.Allow(1);
  auto predicted = Predicted(view, book);
  EXPECT_TRUE(predicted[0] && predicted[1]);
  EXPECT_FALSE(predicted[2] || predicted[3]);
  EXPECT_FALSE(book.may_compute());
  EXPECT_GT(DescribeApp(view, AppId("d"), book).utilization, 0) << "which costs nothing";

  book.Allow(1);
  predicted = Predicted(view, book);
  EXPECT_TRUE(predicted[0] && predicted[3]) << "goes on where it stopped";
}

TEST(PredictionBook, ForgetsDevicesThatAreGone) {
  ClusterView view = TwoDevices().Build();
  PredictionBook book;
  (void)Predicted(view, book);
  const DeviceView gone = view.devices.extract(DeviceId("n1/d")).mapped();
  book.KeepOnly(view);
  view.devices[DeviceId("n1/d")] = gone;
  (void)Predicted(view, book);
  EXPECT_EQ(book.computed(), 3U);
}

} // namespace
} // namespace avocet

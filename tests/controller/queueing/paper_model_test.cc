#include "controller/queueing/paper_model.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "controller/queueing/processor_sharing_model.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

TEST(PaperModelOfFifo, CountsSwitchesAsIfTheyWereConstant) {
  // Half of the requests switch: st = 0.02 and 0.04, rho = 0.6, wait = sum lam st^2 / 2 (1 - rho).
  const auto means = PaperMeans(MakeLoad(Discipline::kFifo, {{10, 0.01, 0, 0.02}, {10, 0.02, 0, 0.04}}));
  const double wait = (10 * 0.0004 + 10 * 0.0016) / (2 * 0.4);
  ASSERT_EQ(means.size(), 2);
  EXPECT_NEAR(means[0], wait + 0.02, 1e-12);
  EXPECT_NEAR(means[1], wait + 0.04, 1e-12);
}

TEST(PaperModelOfFifo, TakesServiceForConstant) {
  const auto constant = PaperMeans(MakeLoad(Discipline::kFifo, {{10, 0.05}}));
  const auto varying = PaperMeans(MakeLoad(Discipline::kFifo, {{10, 0.05, 4}}));
  EXPECT_EQ(constant, varying);
}

TEST(PaperModelOfFifo, ApplicationsOfAModelAreOneClass) {
  const auto shared = PaperMeans(
      MakeLoad(Discipline::kFifo, {{4, 0.01, 0, 0.02, "m"}, {6, 0.01, 0, 0.02, "m"}, {10, 0.02, 0, 0.04, "n"}}));
  const auto one = PaperMeans(MakeLoad(Discipline::kFifo, {{10, 0.01, 0, 0.02, "m"}, {10, 0.02, 0, 0.04, "n"}}));
  EXPECT_NEAR(shared.at(0), one.at(0), 1e-12);
  EXPECT_NEAR(shared.at(1), one.at(0), 1e-12);
  EXPECT_NEAR(shared.at(2), one.at(1), 1e-12);
}

TEST(PaperModelOfSharing, IsTheSameForBothKinds) {
  const std::vector<LoadRow> rows = {{10, 0.03}, {5, 0.08}};
  EXPECT_EQ(PaperMeans(MakeLoad(Discipline::kTimeShared, rows)),
            PaperMeans(MakeLoad(Discipline::kProcessorSharing, rows)));
}

TEST(PaperModel, SaysNothingOfSeveralCores) {
  EXPECT_TRUE(PaperMeans(MakeLoad(Discipline::kMultiServer, {{1, 0.1}}, 2)).empty());
}

TEST(PaperModel, SaysNothingOfAnEmptyDevice) {
  EXPECT_TRUE(PaperMeans(MakeLoad(Discipline::kFifo, {})).empty());
}

TEST(PaperModel, EndsAtSaturation) {
  EXPECT_EQ(PaperMeans(MakeLoad(Discipline::kFifo, {{0.9999, 1}})).size(), 1);
  EXPECT_TRUE(PaperMeans(MakeLoad(Discipline::kFifo, {{1, 1}})).empty());
}

RC_GTEST_PROP(PaperModelProperties, SharingIsRightOnAverage, ()) {
  const auto load = AnyLoad(Discipline::kProcessorSharing, {});
  const auto means = PaperMeans(load);
  const ProcessorSharingModel exact(load);
  double paper_number = 0, number = 0;
  for (size_t i = 0; i < load.apps.size(); ++i) {
    paper_number += load.apps[i].rate_rps * means[i];
    number += load.apps[i].rate_rps * exact.Mean(i);
  }
  RC_ASSERT(IsClose(paper_number, number, 1e-9));
}

} // namespace
} // namespace avocet

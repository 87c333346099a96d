#include "controller/cluster/cluster_view.h"

#include <gtest/gtest.h>

#include "tests/support/view_builder.h"

namespace avocet {
namespace {

TEST(ClusterView, NameWithoutVersionIsTheHighest) {
  const auto view = ViewBuilder().Model("pose:2").Model("pose:10").Model("pose:9").Model("poser:11").Build();
  ASSERT_NE(view.FindModel("pose"), nullptr);
  EXPECT_EQ(view.FindModel("pose")->version, "10");
  EXPECT_EQ(view.FindModel("pose:9")->version, "9");
}

TEST(ClusterView, UnknownModelsAreNull) {
  const auto view = ViewBuilder().Model("pose:2").Build();
  EXPECT_EQ(view.FindModel("pos"), nullptr);
  EXPECT_EQ(view.FindModel("pose:3"), nullptr);
  EXPECT_EQ(view.FindModel("poses"), nullptr);
  EXPECT_EQ(ClusterView().FindModel("pose"), nullptr);
}

TEST(ClusterView, ProfilesAreFoundByModelFormatAndType) {
  const auto view = ViewBuilder().Model("pose:1", {.device_type = "orin"}).Build();
  EXPECT_NE(view.FindProfile(ModelId("pose:1"), ModelFormat::kEmulated, "orin"), nullptr);
  EXPECT_EQ(view.FindProfile(ModelId("pose:1"), ModelFormat::kTflite, "orin"), nullptr);
  EXPECT_EQ(view.FindProfile(ModelId("pose:1"), ModelFormat::kEmulated, "nano"), nullptr);
  EXPECT_EQ(view.FindProfile(ModelId("pose:2"), ModelFormat::kEmulated, "orin"), nullptr);
}

TEST(ClusterView, ResidentsAreInOrderOfName) {
  const auto view = ViewBuilder()
                        .Device("n/d1")
                        .Device("n/d2")
                        .Model("m:1")
                        .Resident(MakeApp("b", "m"), "n/d1")
                        .Resident(MakeApp("c", "m"), "n/d2")
                        .Resident(MakeApp("a", "m"), "n/d1")
                        .Build();
  EXPECT_EQ(view.Residents(DeviceId("n/d1")), (std::vector<AppId>{AppId("a"), AppId("b")}));
  EXPECT_TRUE(view.Residents(DeviceId("n/d3")).empty());
}

TEST(DeviceHealth, HasNames) {
  EXPECT_EQ(ToString(DeviceHealth::kHealthy), "healthy");
  EXPECT_EQ(ToString(DeviceHealth::kAway), "away");
  EXPECT_EQ(ToString(DeviceHealth::kDraining), "draining");
}

TEST(ViewBuilder, BuildsWhatValidates) {
  const auto view = ViewBuilder().Device("n/d1").Model("m:1").Resident(MakeApp("a", "m"), "n/d1").Build();
  EXPECT_TRUE(Validate(view.nodes.at(NodeId("n"))).ok());
  EXPECT_TRUE(Validate(view.models.at(ModelId("m:1"))).ok());
  EXPECT_TRUE(Validate(view.profiles.begin()->second).ok());
  EXPECT_TRUE(Validate(view.apps.at(AppId("a"))).ok());
  EXPECT_TRUE(Validate(view.placements.at(AppId("a"))).ok());
}

} // namespace
} // namespace avocet

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/failing_disk.h"
#include "tests/support/process_cluster.h"

// Disks that are full, fail or are slow, under processes that go on. What was acknowledged is there afterwards, and
// what was refused is not.
namespace avocet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class FailingDisks : public testing::Test {
protected:
  void SetUp() override {
    cluster.set_prefix_of("controller", controller_disk.prefix());
    cluster.set_prefix_of("left", left_disk.prefix());
    cluster.StartAll();
    (void)cluster.Json({"model", "import", EmulatedModel("resnet18.toml").string()});
    ASSERT_EQ(Apply("door").exit_code, 0);
  }

  FailingDisk DiskOf(const std::string& name) const {
    return {cluster.data_dir(name), cluster.folder() / (name + ".disk")};
  }

  CommandResult Apply(const std::string& app) const {
    return cluster.Run({"app", "apply", cluster.Write({.name = app, .model = "resnet18", .kind = "gpu"}).string()});
  }

  bool Serves(const std::string& app) const {
    return cluster
               .Run({"load", app + "=20", "--arrival", "periodic", "--duration", "0.2", "--endpoint",
                     cluster.inference("left"), "-o", "json", "-q"})
               .exit_code == 0;
  }

  std::set<std::string> Apps() const {
    std::set<std::string> names;
    const json list = cluster.Json({"app", "list"});
    for (const auto& app : list["apps"])
      names.insert(app["name"]);
    return names;
  }

  /// All that is on the disk, and nothing else.
  void ExpectAfterARestart(const std::set<std::string>& apps) {
    cluster.controller().Kill();
    cluster.StartController();
    ASSERT_TRUE(cluster.WaitUntilServing());
    EXPECT_EQ(Apps(), apps);
    for (const auto& app : apps)
      EXPECT_TRUE(Serves(app)) << app;
  }

  ProcessCluster cluster{{{"left", {"gpu"}}}};
  FailingDisk controller_disk = DiskOf("controller");
  FailingDisk left_disk = DiskOf("left");
};

TEST_F(FailingDisks, AControllerOutlivesAFullDiskAndGoesOnWhenThereIsRoom) {
  controller_disk.Fill();
  for (const std::string app : {"lane", "gate", "lane"}) {
    const auto refused = Apply(app);
    EXPECT_EQ(refused.exit_code, 1) << refused.out << refused.err;
    EXPECT_THAT(refused.err, HasSubstr(cluster.data_dir("controller").string())) << "it names the disk";
  }
  EXPECT_EQ(Apps(), std::set<std::string>{"door"});
  EXPECT_TRUE(Serves("door"));

  controller_disk.Heal();
  const auto applied = Apply("lane");
  EXPECT_EQ(applied.exit_code, 0) << applied.err;
  ExpectAfterARestart({"door", "lane"});
}

TEST_F(FailingDisks, WhatAControllerRefusedAtAFailedSyncIsNotThereLater) {
  controller_disk.Break();
  EXPECT_EQ(Apply("lane").exit_code, 1);
  EXPECT_EQ(cluster.Run({"app", "rm", "door"}).exit_code, 1);
  controller_disk.Heal();
  EXPECT_EQ(Apply("gate").exit_code, 0);
  ExpectAfterARestart({"door", "gate"});
}

TEST_F(FailingDisks, WhatTakesLongToWriteIsNotTakenForRefused) {
  controller_disk.Slow(10'500); // longer than the actors wait for anything else
  const auto applied = Apply("lane");
  EXPECT_EQ(applied.exit_code, 0) << applied.err;
  controller_disk.Heal();
  ExpectAfterARestart({"door", "lane"});
}

TEST_F(FailingDisks, AnAgentOutlivesAFullDiskAndGoesOnWhenThereIsRoom) {
  left_disk.Fill();
  for (const std::string app : {"lane", "gate"})
    EXPECT_EQ(cluster
                  .Run({"app", "apply", "--no-wait",
                        cluster.Write({.name = app, .model = "resnet18", .kind = "gpu"}).string()})
                  .exit_code,
              0);
  EXPECT_TRUE(
      Eventually([&] { return cluster.LogOf("left").find("store not writable") != std::string::npos; }, kPatience));
  EXPECT_TRUE(Serves("door"));
  EXPECT_FALSE(cluster.agent("left").Wait({}).has_value()) << "it ended";

  left_disk.Heal();
  EXPECT_EQ(Apply("yard").exit_code, 0);
  cluster.agent("left").Kill();
  cluster.StartAgent("left");
  ASSERT_TRUE(cluster.WaitUntilServing());
  for (const std::string app : {"door", "lane", "gate", "yard"})
    EXPECT_TRUE(Serves(app)) << app;
}

} // namespace
} // namespace avocet

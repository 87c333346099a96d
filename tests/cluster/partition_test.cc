#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process_cluster.h"

// A controller and two agents on hosts of their own, over mutual TLS; the cable between them is cut.
namespace avocet {
namespace {

using nlohmann::json;

class Partition : public testing::Test {
protected:
  void SetUp() override {
    if (!TestHosts::Allowed()) GTEST_SKIP() << "this needs the right to create network namespaces; run it as root";
    cluster.emplace(std::vector<AgentPlan>{{"left", {"gpu", "cpu"}}, {"right", {"gpu"}}}, Where::kHosts);
    cluster->StartAll();
    (void)cluster->Json({"model", "import", EmulatedModel("resnet18.toml").string()});
  }

  /// Where it was placed.
  std::string Apply(const AppFile& app) {
    const json decision = cluster->Json({"app", "apply", cluster->Write(app)});
    return decision.is_object() && decision["device"].is_string() ? decision["device"] : "nowhere";
  }

  static std::string NodeOf(const std::string& device) { return device.substr(0, device.find('/')); }
  static std::string OtherThan(const std::string& node) { return node == "left" ? "right" : "left"; }

  std::string PhaseOf(const std::string& app) const { return cluster->Json({"app", "status", app})["phase"]; }

  bool IsPhase(const std::string& app, const std::string& phase) const {
    return Eventually([&] { return PhaseOf(app) == phase; }, kPatience);
  }

  /// Asked on the agent's own host, which no cut concerns.
  bool Serves(const std::string& app, const std::string& node) const {
    auto command = cluster->hosts().Enter(node);
    command.insert(command.end(), {AVOCET_BINARY, "load", app + "=20", "--arrival", "periodic", "--duration", "0.2",
                                   "--endpoint", cluster->inference(node), "-q"});
    return RunToEnd({.command = command, .stderr_file = {}, .environment = {}}, kPatience).exit_code == 0;
  }

  std::optional<ProcessCluster> cluster;
};

TEST_F(Partition, AnAgentThatIsCutOffGoesOnServingAndIsBackAfterwards) {
  const std::string device = Apply({.name = "door", .model = "resnet18"});
  const std::string node = NodeOf(device);
  const json before = cluster->Json({"app", "status", "door"});
  cluster->hosts().Cut(node);
  EXPECT_TRUE(IsPhase("door", "lost"));
  EXPECT_TRUE(Serves("door", node)) << "cut off from its controller only";
  cluster->hosts().Join(node);
  EXPECT_TRUE(IsPhase("door", "ready"));
  EXPECT_EQ(cluster->Json({"app", "status", "door"})["epoch"], before["epoch"]) << "placed again";
  EXPECT_TRUE(Serves("door", node));
}

TEST_F(Partition, WhatWasPlacedElsewhereMeanwhileRunsOnceAfterwards) {
  const std::string first = NodeOf(Apply({.name = "door", .model = "resnet18"}));
  const std::string second = OtherThan(first);
  cluster->hosts().Cut(first);
  ASSERT_TRUE(IsPhase("door", "lost"));
  ASSERT_EQ(cluster->Json({"app", "rm", "door"})["removed"], "door");
  ASSERT_EQ(NodeOf(Apply({.name = "door", .model = "resnet18"})), second) << "only that node is there";
  EXPECT_TRUE(Serves("door", second));
  EXPECT_TRUE(Serves("door", first)) << "it cannot know yet";
  cluster->hosts().Join(first);
  EXPECT_TRUE(Eventually([&] { return !Serves("door", first); }, kPatience)) << "placed twice";
  ASSERT_TRUE(cluster->WaitUntilServing());
  EXPECT_TRUE(Serves("door", second));
  EXPECT_EQ(NodeOf(cluster->Json({"app", "status", "door"})["device"]), second);
}

/// The model's file, as far as it has come.
uint64_t FetchedBytes(const std::filesystem::path& models) {
  uint64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(models, ignored)) {
    if (entry.is_regular_file(ignored)) bytes += entry.file_size(ignored);
  }
  return bytes;
}

TEST_F(Partition, AModelFileIsFetchedToItsEndAfterACut) {
  constexpr uint64_t kMiB = 1 << 20;
  const auto model = SampleModel("pose_landmark_heavy.tflite"); // 27 MB
  (void)cluster->Json({"model", "import", model.string()});
  cluster->hosts().Slow("left", "40mbit");
  const auto profile = cluster->Spawn({"model", "profile", "pose_landmark_heavy", "--device", "left/cpu0", "-q"});
  const auto models = cluster->data_dir("left") / "models";
  ASSERT_TRUE(Eventually([&] { return FetchedBytes(models) > 4 * kMiB; }, kPatience));
  ASSERT_LT(FetchedBytes(models), std::filesystem::file_size(model)) << "too fast to be cut";
  cluster->hosts().Cut("left");
  ASSERT_TRUE(Eventually([&] { return cluster->Json({"node", "list"})["nodes"][0]["health"] == "away"; }, kPatience));
  (void)profile->Wait(kPatience);
  cluster->hosts().Join("left");
  ASSERT_TRUE(Eventually(
      [&] {
        return cluster->Json({"node", "list"})["nodes"][0]["health"] == "healthy";
      },
      kPatience));
  EXPECT_GT(FetchedBytes(models), 4 * kMiB) << "what had come is kept";
  EXPECT_EQ(Apply({.name = "pose", .model = "pose_landmark_heavy", .kind = "cpu", .rate_rps = 0.5}), "left/cpu0");
  EXPECT_TRUE(IsPhase("pose", "ready"));
}

} // namespace
} // namespace avocet

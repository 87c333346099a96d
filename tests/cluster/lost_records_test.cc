#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process_cluster.h"

// The controller's records are lost, are another controller's, or an older copy. What agents serve goes on being
// served, and an operator is told. docs/FAILURES.md is the table of these tests.
namespace avocet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class LostRecords : public testing::Test {
protected:
  void SetUp() override {
    cluster.StartAll();
    Import();
    Apply({.name = "door", .model = "resnet18", .kind = "gpu"});
  }

  /// Requests over a while that begins now.
  std::unique_ptr<Process> Load(const std::string& app, const std::string& node, const std::string& seconds) const {
    return cluster.Spawn({"load", app + "=20", "--arrival", "periodic", "--duration", seconds, "--endpoint",
                          cluster.inference(node), "-o", "json", "-q"});
  }

  void Import() {
    for (const std::string model : {"resnet18", "mobilenet_v1"})
      (void)cluster.Json({"model", "import", EmulatedModel(model + ".toml").string()});
  }

  void Apply(const AppFile& app) {
    const json decision = cluster.Json({"app", "apply", cluster.Write(app)});
    ASSERT_TRUE(decision.is_object());
    ASSERT_EQ(decision["decision"], "admit") << decision;
  }

  bool Serves(const std::string& app, const std::string& node) const {
    const auto end = Load(app, node, "0.2")->Wait(kPatience);
    return end && end->exit_code == 0;
  }

  bool HasEvent(const std::string& kind, const std::string& subject) const {
    const json events = cluster.Json({"events"})["events"];
    return std::any_of(events.begin(), events.end(),
                       [&](const json& event) { return event["kind"] == kind && event["subject"] == subject; });
  }

  std::string NoteOf(const std::string& node) const {
    const json nodes = cluster.Json({"node", "list"})["nodes"];
    for (const auto& one : nodes) {
      if (one["name"] == node) return one["note"];
    }
    return "";
  }

  std::string HealthOf(const std::string& node) const {
    const json nodes = cluster.Json({"node", "list"})["nodes"];
    for (const auto& one : nodes) {
      if (one["name"] == node) return one["health"];
    }
    return "";
  }

  std::filesystem::path data() const { return cluster.data_dir("controller"); }
  std::filesystem::path copy() const { return cluster.folder() / "copy"; }

  void ReplaceData(const std::filesystem::path& by) {
    std::filesystem::remove_all(data());
    if (!by.empty()) std::filesystem::copy(by, data(), std::filesystem::copy_options::recursive);
  }

  ProcessCluster cluster{{{"left", {"gpu"}}, {"right", {"edgetpu"}}}};
};

TEST_F(LostRecords, OnAnEmptyFolderNothingIsStoppedAndTheOperatorDecides) {
  cluster.controller().Kill();
  ReplaceData({});
  cluster.StartController();
  ASSERT_TRUE(Eventually([&] { return HasEvent("node_refused", "left"); }, kPatience));
  EXPECT_THAT(NoteOf("left"), HasSubstr("avocet node adopt left"));
  EXPECT_TRUE(Serves("door", "left"));

  for (const std::string node : {"left", "right"})
    EXPECT_EQ(cluster.Json({"node", "adopt", node})["adopted"], node);
  ASSERT_TRUE(Eventually([&] { return HasEvent("orphan_found", "door"); }, kPatience));
  EXPECT_TRUE(Serves("door", "left"));
  EXPECT_EQ(NoteOf("left"), "left running, but not in the records: door");

  // What is applied again is taken over.
  ASSERT_TRUE(cluster.WaitUntilServing());
  Import();
  Apply({.name = "door", .model = "resnet18", .kind = "gpu"});
  EXPECT_TRUE(Serves("door", "left"));
  EXPECT_EQ(NoteOf("left"), "");
}

TEST_F(LostRecords, OnAnotherControllersFolderNothingIsStopped) {
  cluster.controller().Kill();
  {
    // Another controller, which knows an application of the same name on a node of the same name.
    ProcessCluster other{{{"left", {"gpu"}}}};
    other.StartAll();
    (void)other.Json({"model", "import", EmulatedModel("resnet18.toml").string()});
    const AppFile door{.name = "door", .model = "resnet18", .kind = "gpu"};
    ASSERT_EQ(other.Json({"app", "apply", other.Write(door)})["decision"], "admit");
    other.controller().Kill();
    std::filesystem::copy(other.data_dir("controller"), copy(), std::filesystem::copy_options::recursive);
  }
  ReplaceData(copy());
  cluster.StartController();
  ASSERT_TRUE(Eventually([&] { return HasEvent("node_refused", "left"); }, kPatience));
  EXPECT_EQ(HealthOf("left"), "away");
  EXPECT_TRUE(Serves("door", "left"));
  EXPECT_THAT(cluster.LogOf("left"), testing::Not(HasSubstr("mobilenet_v1")));
}

TEST_F(LostRecords, RestoredFromAnOlderCopyWhatWasAppliedSinceServesOn) {
  cluster.controller().Kill();
  std::filesystem::copy(data(), copy(), std::filesystem::copy_options::recursive);
  cluster.StartController();
  ASSERT_TRUE(cluster.WaitUntilServing());
  Apply({.name = "lane", .model = "mobilenet_v1", .kind = "edgetpu"});
  Apply({.name = "gate", .model = "mobilenet_v1", .kind = "edgetpu"});
  const auto lane = Load("lane", "right", "20");

  cluster.controller().Kill();
  ReplaceData(copy());
  cluster.StartController();
  ASSERT_TRUE(
      Eventually([&] { return HasEvent("orphan_found", "lane") && HasEvent("orphan_found", "gate"); }, kPatience));
  ASSERT_TRUE(cluster.WaitUntilServing());
  EXPECT_TRUE(Serves("door", "left"));
  EXPECT_TRUE(Serves("gate", "right"));

  // Also over another start, when the highest epoch of the agents is known.
  cluster.StartController();
  ASSERT_TRUE(
      Eventually([&] { return NoteOf("right") == "left running, but not in the records: gate, lane"; }, kPatience));
  EXPECT_TRUE(Serves("gate", "right"));

  // One is taken over, the other one is given up.
  Apply({.name = "lane", .model = "mobilenet_v1", .kind = "edgetpu"});
  EXPECT_EQ(cluster.Json({"app", "rm", "gate"})["removed"], "gate");
  EXPECT_TRUE(Eventually([&] { return !Serves("gate", "right"); }, kPatience));
  EXPECT_EQ(NoteOf("right"), "");
  EXPECT_TRUE(Serves("lane", "right"));
  const auto end = lane->Wait(kPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 0) << "a request was lost: " << lane->unread();
}

} // namespace
} // namespace avocet

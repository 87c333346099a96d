#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process_cluster.h"
#include "tests/support/shifted_clock.h"

// A controller and two agents as processes of their own: each may die, stand still or come back without
// its disk, and the others go on. docs/FAILURES.md is the table of these tests.
namespace avocet {
namespace {

using nlohmann::json;

/// Beyond the controller's lease of 3 s.
const std::string kBeyondLeaseSeconds = "4";

/// How an application's placement is shown; equal before and after says that nothing was placed again.
struct Placed {
  std::string device;
  uint64_t epoch = 0;
  friend bool operator==(const Placed&, const Placed&) = default;
};

/// The details of the events of that kind.
std::vector<std::string> EventsOf(const ProcessCluster& cluster, const std::string& kind) {
  std::vector<std::string> details;
  const json events = cluster.Json({"events"})["events"];
  for (const auto& event : events) {
    if (event["kind"] == kind) details.push_back(event["detail"]);
  }
  return details;
}

size_t TimesLogged(const ProcessCluster& cluster, const std::string& name, const std::string& text) {
  const std::string log = cluster.LogOf(name);
  size_t times = 0;
  for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1))
    ++times;
  return times;
}

/// "door" runs on the GPU of "left", "lane" on the edgeTPU of "right".
class ProcessFaults : public testing::Test {
protected:
  void SetUp() override {
    cluster.StartAll();
    for (const std::string model : {"resnet18", "mobilenet_v1"})
      (void)cluster.Json({"model", "import", EmulatedModel(model + ".toml").string()});
    Apply({.name = "door", .model = "resnet18", .kind = "gpu"});
    Apply({.name = "lane", .model = "mobilenet_v1", .kind = "edgetpu"});
    placed = Placements();
    ASSERT_EQ(placed["door"].device, "left/gpu0");
    ASSERT_EQ(placed["lane"].device, "right/tpu0");
  }

  void Apply(const AppFile& app) {
    const json decision = cluster.Json({"app", "apply", cluster.Write(app)});
    ASSERT_TRUE(decision.is_object());
    ASSERT_EQ(decision["decision"], "admit") << decision;
  }

  std::map<std::string, Placed> Placements() const {
    std::map<std::string, Placed> all;
    const json list = cluster.Json({"app", "list"});
    for (const auto& app : list["apps"])
      all[app["name"]] = {app["device"], app["epoch"]};
    return all;
  }

  std::vector<std::string> LoadCommand(const std::string& app, const std::string& endpoint,
                                       const std::string& seconds) const {
    return {"load",       app + "=20", "--arrival", "periodic", "--duration", seconds,
            "--endpoint", endpoint,    "-o",        "json",     "-q"};
  }

  /// Every request of a load was answered: exit code 0.
  void ExpectServes(const std::string& app, const std::string& node, const std::string& seconds = "0.5") {
    const auto load = cluster.Run(LoadCommand(app, cluster.inference(node), seconds));
    EXPECT_EQ(load.exit_code, 0) << app << " on " << node << "\n" << load.out << load.err;
  }

  bool Serves(const std::string& app, const std::string& node) {
    return cluster.Run(LoadCommand(app, cluster.inference(node), "0.1")).exit_code == 0;
  }

  std::string PhaseOf(const std::string& app) const { return cluster.Json({"app", "status", app})["phase"]; }

  void ExpectLost(const std::string& app) {
    EXPECT_TRUE(Eventually([&] { return PhaseOf(app) == "lost"; }, kPatience)) << "it is " << PhaseOf(app);
  }

  /// Everything acknowledged is there and serves, where it was.
  void ExpectAllAsBefore() {
    ASSERT_TRUE(cluster.WaitUntilServing()) << cluster.Run({"app", "list"}).out;
    EXPECT_EQ(Placements(), placed);
    ExpectServes("door", "left");
    ExpectServes("lane", "right");
  }

  std::vector<std::string> EventsOf(const std::string& kind) const { return avocet::EventsOf(cluster, kind); }

  size_t TimesLogged(const std::string& node, const std::string& text) const {
    return avocet::TimesLogged(cluster, node, text);
  }

  ProcessCluster cluster{{{"left", {"gpu"}}, {"right", {"edgetpu"}}}};
  std::map<std::string, Placed> placed;
};

TEST_F(ProcessFaults, RequestsAreServedWhileTheControllerIsDeadAndNothingIsPlacedAgain) {
  cluster.controller().Kill();
  ExpectServes("door", "left", "1");
  const auto load = cluster.Spawn(LoadCommand("door", cluster.inference("left"), kBeyondLeaseSeconds));
  cluster.StartController();
  ExpectAllAsBefore();
  const auto end = load->Wait(kPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 0) << "a request was lost while the controller came back: " << load->unread();
  EXPECT_EQ(TimesLogged("left", "application ready"), 1U) << "loaded again although it ran all the time";
  EXPECT_EQ(cluster.Json({"model", "list"})["models"].size(), 2U);
}

TEST_F(ProcessFaults, RequestsAreServedWhileTheControllerStandsStill) {
  cluster.controller().Signal(SIGSTOP);
  ExpectServes("door", "left", kBeyondLeaseSeconds);
  ExpectServes("lane", "right");
  cluster.controller().Signal(SIGCONT);
  ExpectAllAsBefore();
}

TEST_F(ProcessFaults, ApplicationsOfADeadAgentAreShownLostAndRunAgainOnItsReturn) {
  cluster.agent("left").Kill();
  ExpectLost("door");
  EXPECT_EQ(PhaseOf("lane"), "ready") << "the other node is not concerned";
  ExpectServes("lane", "right");
  cluster.StartAgent("left");
  ExpectAllAsBefore();
}

/// An engine may end its agent: the operator must not wait for a deadline, nor read that nobody measured anything.
TEST_F(ProcessFaults, AnAgentThatDiesWhileItMeasuresIsSaidToHaveGone) {
  const auto files_of_left = [&] {
    return std::distance(std::filesystem::directory_iterator(cluster.data_dir("left") / "models"), {});
  };
  const auto before = files_of_left();
  (void)cluster.Json({"model", "import",
                      cluster.Write("slow.toml", "[[input]]\nname = \"x\"\ndatatype = \"FP32\"\nshape = [1]\n"
                                                 "[[output]]\nname = \"y\"\ndatatype = \"FP32\"\nshape = [1]\n"
                                                 "[device.gpu]\nservice_ms = 60000\nmemory_mb = 1\n")});
  const auto profile = cluster.Spawn({"model", "profile", "slow", "--device", "left/gpu0"});
  ASSERT_TRUE(Eventually([&] { return files_of_left() > before; }, kPatience)) << "it fetches what it measures";
  cluster.agent("left").Kill();

  const auto end = profile->Wait(kPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 1);
  EXPECT_THAT(
      EventsOf("model_not_profiled"),
      testing::Contains(testing::HasSubstr("on left/gpu0: the agent of node 'left' went away before it answered")));
  cluster.StartAgent("left");
  ExpectAllAsBefore();
  const auto plan = cluster.Run({"app", "plan", cluster.Write({.name = "slow", .model = "slow", .kind = "gpu"})});
  EXPECT_THAT(plan.out, testing::HasSubstr("went away before it answered"));
}

TEST_F(ProcessFaults, AnAgentThatIsStartedAgainAtOnceIsTakenForWhoItIs) {
  for (int i = 0; i < 3; ++i) {
    cluster.agent("left").Kill();
    cluster.StartAgent("left");
  }
  ExpectAllAsBefore();
  EXPECT_THAT(EventsOf("node_refused"), testing::IsEmpty()) << "it was taken for another agent of its name";
}

TEST_F(ProcessFaults, AStoppedAgentSaysSoAndItsApplicationsAreShownLost) {
  cluster.agent("left").Signal(SIGTERM);
  ExpectLost("door");
  EXPECT_TRUE(Eventually([&] { return EventsOf("node_away") == std::vector<std::string>{"its agent was stopped"}; },
                         kPatience));
  cluster.StartAgent("left");
  ExpectAllAsBefore();
}

TEST(Namesakes, TheLaterOneIsRefusedAndToldWhyWhileTheOtherLives) {
  ProcessCluster cluster{{{"first", {"gpu"}, "left"}, {"second", {"gpu"}, "left"}}};
  const auto speaks = [&](const std::string& agent) {
    const json nodes = cluster.Json({"node", "list"})["nodes"];
    return nodes.size() == 1 && nodes[0]["health"] == "healthy" && nodes[0]["grpc_address"] == cluster.inference(agent);
  };
  cluster.StartController();
  cluster.StartAgent("first");
  ASSERT_TRUE(Eventually([&] { return speaks("first"); }, kPatience));
  cluster.StartAgent("second");
  EXPECT_TRUE(Eventually(
      [&] { return cluster.LogOf("second").find("node 'left' is another agent's") != std::string::npos; }, kPatience))
      << cluster.LogOf("second");
  EXPECT_TRUE(Eventually([&] { return EventsOf(cluster, "node_refused").size() == 1; }, kPatience));
  EXPECT_TRUE(speaks("first"));
  EXPECT_EQ(EventsOf(cluster, "node_up").size(), 1U);
  cluster.agent("first").Kill();
  EXPECT_TRUE(Eventually([&] { return speaks("second"); }, kPatience)) << "it replaces an agent that is gone";
}

TEST(Namesakes, OfTwoAgentsWithOneDataFolderTheLaterOneIsRefused) {
  ProcessCluster cluster{{{"first", {"gpu"}, "left"}, {"second", {"gpu"}, "left"}}};
  cluster.StartController();
  cluster.StartAgent("first");
  cluster.agent("first").Kill();
  std::filesystem::copy(cluster.data_dir("first"), cluster.data_dir("second"),
                        std::filesystem::copy_options::recursive);
  cluster.StartAgent("first");
  cluster.StartAgent("second");

  const auto told = [&] { return EventsOf(cluster, "node_refused").size() == 1; };
  ASSERT_TRUE(Eventually(told, kPatience)) << cluster.LogOf("second");
  EXPECT_THAT(EventsOf(cluster, "node_refused")[0], testing::HasSubstr("a copy of the data folder"));

  // It goes on trying, in vain: the two do not take turns.
  const size_t registered = EventsOf(cluster, "node_up").size();
  const auto attempts = [&] { return TimesLogged(cluster, "controller", "one folder was copied from the other"); };
  EXPECT_TRUE(Eventually([&] { return attempts() >= 5; }, kPatience));
  EXPECT_EQ(EventsOf(cluster, "node_up").size(), registered);
  EXPECT_GE(TimesLogged(cluster, "second", "one folder was copied from the other"), 1U);
}

TEST_F(ProcessFaults, ApplicationsOfAnAgentThatStandsStillAreShownLostUntilItGoesOn) {
  cluster.agent("left").Signal(SIGSTOP);
  ExpectLost("door");
  cluster.agent("left").Signal(SIGCONT);
  ExpectAllAsBefore();
  EXPECT_EQ(TimesLogged("left", "application ready"), 1U) << "loaded again although it ran all the time";
}

TEST_F(ProcessFaults, AnAgentStartedWithoutControllerServesItsCachedPlan) {
  cluster.controller().Kill();
  cluster.agent("left").Kill();
  cluster.StartAgent("left");
  EXPECT_TRUE(Eventually([&] { return Serves("door", "left"); }, kPatience));
  cluster.StartController();
  ExpectAllAsBefore();
}

TEST_F(ProcessFaults, AnAgentThatLostItsDiskIsCommandedAgainAndFetchesTheModelAgain) {
  cluster.agent("left").Kill();
  std::filesystem::remove_all(cluster.data_dir("left"));
  cluster.StartAgent("left");
  // Without its folder it counts as another agent, which waits for the lease of the one that it was.
  EXPECT_TRUE(Eventually([&] { return !EventsOf("node_away").empty(); }, kPatience));
  ExpectAllAsBefore();
}

TEST_F(ProcessFaults, AnAgentThatMissedARemovalStopsServingOnItsReturn) {
  cluster.agent("left").Kill();
  ASSERT_EQ(cluster.Json({"app", "rm", "door"})["removed"], "door");
  cluster.StartAgent("left");
  EXPECT_TRUE(Eventually([&] { return !Serves("door", "left"); }, kPatience));
  ASSERT_TRUE(cluster.WaitUntilServing());
  ExpectServes("lane", "right");
}

TEST_F(ProcessFaults, AllKilledAtOnceComeBackAsTheyWere) {
  cluster.controller().Kill();
  cluster.agent("left").Kill();
  cluster.agent("right").Kill();
  cluster.StartController();
  cluster.StartAgent("left");
  cluster.StartAgent("right");
  ExpectAllAsBefore();
}

/// No timer of gRPC's would run for an hour.
TEST_F(ProcessFaults, AnAgentWhoseClockIsSetBackFindsItsControllerAgain) {
  const ShiftedClock clock(cluster.folder() / "clock");
  cluster.set_prefix_of("left", clock.prefix());
  cluster.agent("left").Kill();
  cluster.StartAgent("left");
  ExpectAllAsBefore();

  clock.SetBack(3600);
  cluster.controller().Kill();
  cluster.StartController();
  ExpectAllAsBefore();
}

TEST_F(ProcessFaults, AControllerWhoseClockIsSetBackTakesItsAgentsBack) {
  const ShiftedClock clock(cluster.folder() / "clock");
  cluster.set_prefix_of("controller", clock.prefix());
  cluster.controller().Kill();
  cluster.StartController();
  ExpectAllAsBefore();

  clock.SetBack(3600);
  cluster.agent("left").Kill();
  ExpectLost("door");
  cluster.StartAgent("left");
  ExpectAllAsBefore();
}

TEST_F(ProcessFaults, WhatTheyWriteIsTheirOwnersAlone) {
  namespace fs = std::filesystem;
  const auto others = [](const fs::path& path) {
    return fs::status(path).permissions() & (fs::perms::group_all | fs::perms::others_all);
  };
  for (const std::string name : {"controller", "left"}) {
    EXPECT_EQ(others(cluster.data_dir(name)), fs::perms::none);
    for (const auto& entry : fs::recursive_directory_iterator(cluster.data_dir(name)))
      EXPECT_EQ(others(entry.path()), fs::perms::none) << entry.path();
  }
}

TEST_F(ProcessFaults, EachStopsInOrderOnSigterm) {
  for (Process* process : {&cluster.agent("left"), &cluster.agent("right"), &cluster.controller()}) {
    process->Signal(SIGTERM);
    const auto end = process->Wait(kPatience);
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(end->exit_code, 0) << "ended by signal " << end->signal;
  }
}

} // namespace
} // namespace avocet

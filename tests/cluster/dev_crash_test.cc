#include <algorithm>
#include <cmath>
#include <iostream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/ledger.h"
#include "tests/storage/seed.h"
#include "tests/support/dev_cluster.h"

// SIGKILL at random moments: what was acknowledged is there after the restart, and serves again by itself.
namespace avocet {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::IsSubsetOf;
using testing::Not;

constexpr int kRounds = 12;
/// The applications of a round; beyond it one is removed first. The GPU's memory holds four of them.
constexpr size_t kMaxApps = 7;

enum class Moment { kAfterApply, kDuringApply, kDuringProfile, kDuringImport, kUnderLoad, kAfterRemoval, kDuringStart };
constexpr std::array kMoments{Moment::kAfterApply, Moment::kDuringApply,  Moment::kDuringProfile, Moment::kDuringImport,
                              Moment::kUnderLoad,  Moment::kAfterRemoval, Moment::kDuringStart};

std::string NameOf(Moment moment) {
  switch (moment) {
  case Moment::kAfterApply:
    return "right after an acknowledged apply";
  case Moment::kDuringApply:
    return "during an apply";
  case Moment::kDuringProfile:
    return "during a profile run";
  case Moment::kDuringImport:
    return "during an import";
  case Moment::kUnderLoad:
    return "under load";
  case Moment::kAfterRemoval:
    return "right after an acknowledged removal";
  case Moment::kDuringStart:
    return "during a start";
  }
  return "?";
}

/// A model that applications of this test use, and where it runs.
struct Choice {
  std::string model;
  std::string kind;
  std::string device;
};
const std::vector<Choice> kChoices{
    {"resnet18", "gpu", "box/gpu0"},
    {"mobilenet_v2", "gpu", "box/gpu0"},
    {"mobilenet_v1", "edgetpu", "box/tpu0"},
    {"efficientnet_s", "edgetpu", "box/tpu0"},
    {"face_detection_short_range", "cpu", "box/cpu0"},
};

class DevCrash : public testing::Test {
protected:
  void SetUp() override {
    random.seed(PrintedSeed());
    cluster.Start();
    for (const auto& choice : kChoices) {
      const bool real = choice.kind == "cpu";
      ASSERT_NO_FATAL_FAILURE(
          Import(real ? SampleModel(choice.model + ".tflite") : EmulatedModel(choice.model + ".toml")));
    }
    ASSERT_TRUE(cluster.WaitUntilServing());
    for (const size_t first : {0, 2, 4})
      ASSERT_NO_FATAL_FAILURE(Apply(kChoices[first]));
  }

  size_t Pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random); }

  /// From five milliseconds to one and a half seconds, short ones as likely as long ones.
  std::chrono::nanoseconds RandomMoment() {
    const double seconds = std::pow(10, std::uniform_real_distribution<double>(-2.3, 0.176)(random));
    std::cout << "  killed after " << seconds * 1e3 << " ms" << std::endl;
    return std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9));
  }

  AppFile NextApp(const Choice& choice) {
    return {.name = "app-" + std::to_string(++last_app), .model = choice.model, .kind = choice.kind};
  }

  void Import(const std::filesystem::path& file) {
    const json model = cluster.Json({"model", "import", file.string()});
    ASSERT_TRUE(model.contains("id")) << model;
    ledger.models.insert(model["id"]);
  }

  void MakeRoom() {
    while (ledger.apps.size() >= kMaxApps)
      Remove(*std::next(ledger.apps.begin(), static_cast<ptrdiff_t>(Pick(ledger.apps.size()))));
  }

  void Apply(const Choice& choice, bool wait = true) {
    MakeRoom();
    const AppFile app = NextApp(choice);
    const json decision = cluster.Json({"app", "apply", cluster.Write(app), wait ? "--wait" : "--no-wait"});
    ASSERT_TRUE(decision.contains("decision")) << decision;
    TookDecision(decision);
  }

  void TookDecision(const json& decision) {
    if (decision["decision"] == "reject") return;
    const std::string device = decision["device"], kind = device == "box/gpu0" ? "gpu" : "edgetpu";
    ledger.Applied(decision["app"]["name"]);
    if (device != "box/cpu0") ledger.profiles.insert(ProfileName(decision["model"], kind + "/emulated"));
  }

  /// By value: it may be one of the ledger's.
  void Remove(std::string app) {
    ASSERT_EQ(cluster.Json({"app", "rm", app})["removed"], app);
    ledger.Removed(app);
  }

  /// Lets a command run until a random moment, kills the cluster, and returns what the command knows.
  /// A command whose controller is gone has to end by itself.
  json KillDuring(const std::vector<std::string>& arguments) {
    auto all = arguments;
    all.insert(all.end(), {"-o", "json", "-q"});
    const auto command = cluster.Spawn(all);
    (void)command->Wait(RandomMoment());
    cluster.process().Kill();
    const auto end = command->Wait(kPatience);
    EXPECT_TRUE(end.has_value()) << testing::PrintToString(arguments) << " still waits for a controller that is gone";
    return json::parse(command->unread(), nullptr, false);
  }

  void DuringApply() {
    MakeRoom();
    const AppFile app = NextApp(kChoices[Pick(kChoices.size())]);
    ledger.Doubt(app.name);
    const json answer = KillDuring({"app", "apply", cluster.Write(app)});
    if (answer.is_object() && answer.contains("decision")) TookDecision(answer);
  }

  void DuringProfile() {
    const Choice& choice = kChoices[Pick(kChoices.size())];
    const json answer = KillDuring({"model", "profile", choice.model, "--device", choice.device});
    if (!answer.is_object() || !answer.contains("profiles")) return;
    for (const auto& profile : answer["profiles"])
      ledger.profiles.insert(ProfileName(profile["model"], profile["device_type"]));
  }

  /// A cut upload goes on where it was when it is tried again.
  void DuringImport() {
    static const std::vector<std::string> kFiles{"pose_landmark_heavy", "ssd_mobilenetv2_oidv4_fp16",
                                                 "pose_landmark_full", "hand_landmark_full", "palm_detection_full"};
    const auto file = SampleModel(kFiles[imports++ % kFiles.size()] + ".tflite");
    const json answer = KillDuring({"model", "import", file.string()});
    if (answer.is_object() && answer.contains("id")) ledger.models.insert(answer["id"]);
    cluster.Start();
    Import(file);
    cluster.process().Kill();
  }

  void UnderLoad() {
    const std::string app = *ledger.apps.begin();
    std::vector<std::string> arguments{"load", "--duration", "60", "--arrival", "periodic", "-q"};
    for (const auto& name : ledger.apps)
      arguments.push_back(name + "=5");
    const auto load = cluster.Spawn(arguments);
    ASSERT_TRUE(Eventually(
        [&] {
          return cluster.Json({"app", "status", app})["measured"]["requests"].get<int>() > 0;
        },
        kPatience));
    (void)load->Wait(RandomMoment());
    cluster.process().Kill();
  }

  void CrashAt(Moment moment) {
    switch (moment) {
    case Moment::kAfterApply:
      Apply(kChoices[Pick(kChoices.size())], false);
      break;
    case Moment::kDuringApply:
      return DuringApply();
    case Moment::kDuringProfile:
      return DuringProfile();
    case Moment::kDuringImport:
      return DuringImport();
    case Moment::kUnderLoad:
      return UnderLoad();
    case Moment::kAfterRemoval:
      Remove(*std::next(ledger.apps.begin(), static_cast<ptrdiff_t>(Pick(ledger.apps.size()))));
      break;
    case Moment::kDuringStart:
      cluster.Launch();
      (void)cluster.process().Wait(RandomMoment());
      break;
    }
    cluster.process().Kill();
  }

  void ExpectEverythingAcknowledged() {
    const json models = cluster.Json({"model", "list"})["models"];
    EXPECT_THAT(ledger.models, IsSubsetOf(NamesIn(models, "id")));
    std::set<std::string> profiles;
    for (const auto& model : models) {
      for (const auto& profile : model["profiles"])
        profiles.insert(ProfileName(model["id"], profile["device_type"]));
    }
    EXPECT_THAT(ledger.profiles, IsSubsetOf(profiles));
    const auto apps = NamesIn(cluster.Json({"app", "list"})["apps"], "name");
    EXPECT_THAT(ledger.apps, IsSubsetOf(apps));
    for (const auto& removed : ledger.removed)
      EXPECT_THAT(apps, Not(Contains(removed)));
    auto allowed = ledger.apps;
    allowed.insert(ledger.unsure.begin(), ledger.unsure.end());
    EXPECT_THAT(apps, IsSubsetOf(allowed));
    ledger.apps = apps;
    ledger.unsure.clear();
  }

  CommandResult Load(const std::vector<std::string>& targets, const std::string& seconds) const {
    std::vector<std::string> arguments{"load",       "--duration",        seconds, "--arrival", "periodic",
                                       "--endpoint", cluster.inference(), "-o",    "json",      "-q"};
    for (const auto& target : targets)
      arguments.push_back(target + "=5");
    return cluster.Run(arguments);
  }

  void ExpectEverythingServes() {
    ASSERT_TRUE(cluster.WaitUntilServing()) << cluster.Run({"app", "list"}).out;
    if (ledger.apps.empty()) return;
    const auto load = Load({ledger.apps.begin(), ledger.apps.end()}, "0.8");
    EXPECT_EQ(load.exit_code, 0) << load.out << load.err;
    const json report = json::parse(load.out, nullptr, false);
    ASSERT_TRUE(report.is_object() && report.contains("apps")) << load.out;
    for (const auto& app : report["apps"])
      EXPECT_GT(app["ok"], 0) << app;
  }

  /// The agent's own cached plan may bring a removed application back for a moment, but not for long.
  void ExpectRemovedIsNotServed() {
    for (const auto& app : ledger.removed)
      EXPECT_TRUE(Eventually([&] { return Load({app}, "0.1").exit_code == 1; }, kPatience)) << app;
  }

  DevCluster cluster;
  Ledger ledger;
  std::mt19937_64 random;
  int last_app = 0;
  size_t imports = 0;
};

TEST_F(DevCrash, WhatWasAcknowledgedSurvivesAndServesAgain) {
  std::vector<Moment> moments(kMoments.begin(), kMoments.end());
  std::shuffle(moments.begin(), moments.end(), random);
  while (moments.size() < kRounds)
    moments.push_back(kMoments[Pick(kMoments.size())]);
  for (size_t round = 0; round < moments.size() && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round) + ": " + NameOf(moments[round]));
    std::cout << "round " << round << ": " << NameOf(moments[round]) << std::endl;
    ASSERT_NO_FATAL_FAILURE(CrashAt(moments[round]));
    cluster.Start();
    ExpectEverythingAcknowledged();
    ASSERT_NO_FATAL_FAILURE(ExpectEverythingServes());
  }
  ExpectRemovedIsNotServed();
}

// The controller's records and the agent's plan are two stores; a crash may leave either behind the other.

TEST_F(DevCrash, AnAgentThatLostItsDiskGetsItsApplicationsBack) {
  cluster.process().Kill();
  std::filesystem::remove_all(cluster.data_dir() / "agent");
  cluster.Start();
  ExpectEverythingAcknowledged();
  ExpectEverythingServes();
}

TEST_F(DevCrash, AnAgentThatMissedARemovalStopsServing) {
  const auto agent = cluster.data_dir() / "agent", earlier = cluster.folder() / "earlier";
  cluster.process().Kill();
  std::filesystem::copy(agent, earlier, std::filesystem::copy_options::recursive);
  cluster.Start();
  ASSERT_TRUE(cluster.WaitUntilServing());
  ASSERT_NO_FATAL_FAILURE(Remove(*ledger.apps.begin()));
  cluster.process().Kill();
  std::filesystem::remove_all(agent);
  std::filesystem::rename(earlier, agent);
  cluster.Start();
  ExpectEverythingAcknowledged();
  ExpectEverythingServes();
  ExpectRemovedIsNotServed();
}

} // namespace
} // namespace avocet

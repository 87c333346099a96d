#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/serving_probe.h"
#include "tests/support/process_cluster.h"

// Operators who change their mind before the last command is carried out: whatever is overtaken, in the end the last
// apply serves, on its device alone, and a removal leaves nothing behind.
namespace avocet {
namespace {

using nlohmann::json;

constexpr size_t kRounds = 15;
/// Versions of the model: all applies but the last ask for the old one.
const std::string kOld = "1", kNew = "2";

constexpr int kServiceMs = 2;
/// Of the model that keeps devices busy: measuring it takes about a hundred runs.
constexpr int kSlowServiceMs = 40;

/// The only device of its kind.
struct Place {
  std::string kind;
  std::string device;
  std::string node() const { return device.substr(0, device.find('/')); }
};
const Place kGpu{"gpu", "left/gpu0"}, kTpu{"edgetpu", "left/tpu0"}, kCpu{"cpu", "right/cpu0"};
const std::vector<Place> kPlaces{kGpu, kTpu, kCpu};

/// Where three applies in a row go: within a node, to another one, away and back again.
const std::vector<std::array<Place, 3>> kChanges{
    {kGpu, kTpu, kCpu}, {kTpu, kCpu, kGpu}, {kCpu, kGpu, kTpu}, {kGpu, kTpu, kGpu}, {kGpu, kCpu, kGpu}};

/// "cam" may run on any of three devices; each apply names the kind of one.
class RacingCommands : public testing::Test {
protected:
  void SetUp() override {
    cluster.StartAll();
    Import("slow", kOld, kSlowServiceMs);
    for (const auto& version : {kOld, kNew}) {
      Import("probe", version, kServiceMs);
      // Measured now, so that no apply waits for that.
      ASSERT_EQ(cluster.Json({"model", "profile", "probe:" + version})["profiles"].size(), kPlaces.size());
    }
  }

  void Import(const std::string& model, const std::string& version, int service_ms) {
    const auto file = cluster.Write(model + version + ".toml", ProbeModel(service_ms)).string();
    (void)cluster.Json({"model", "import", file, "--name", model, "--version", version});
  }

  /// A device measures one model at a time and starts none meanwhile: for a few seconds commands wait, so later ones
  /// overtake them. Returns the command that measures.
  std::unique_ptr<Process> KeepDevicesBusy() const {
    auto measuring = cluster.Spawn({"model", "profile", "slow", "-q"});
    EXPECT_TRUE(Eventually([&] { return LoadedDevices().size() == kPlaces.size(); }, kPatience));
    return measuring;
  }

  CommandResult TryApply(const Place& place, const std::string& version) const {
    const AppFile app{.name = "cam", .model = "probe:" + version, .kind = place.kind};
    return cluster.Run({"app", "apply", "--no-wait", cluster.Write(app).string(), "-o", "json", "-q"});
  }

  void Apply(const Place& place, const std::string& version) const {
    const auto result = TryApply(place, version);
    ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
    const json decision = json::parse(result.out, nullptr, false);
    ASSERT_TRUE(decision.is_object()) << result.out;
    EXPECT_EQ(decision.at("decision"), "admit") << decision;
    EXPECT_EQ(decision.at("device"), place.device) << decision;
  }

  /// Right after a restart of the controller no agent has registered again: then it is refused, and tried again.
  void ApplyOnceAgentsAreBack(const Place& place, const std::string& version) const {
    CommandResult last;
    ASSERT_TRUE(Eventually(
        [&] {
          last = TryApply(place, version);
          return last.exit_code == 0;
        },
        kPatience))
        << last.out << last.err;
  }

  void RestartController() {
    cluster.controller().Kill();
    cluster.StartController();
  }

  HttpAnswer Infer(const std::string& node) const { return avocet::Infer(cluster, node, "cam"); }

  std::set<std::string> LoadedDevices() const {
    auto [loaded, devices] = ReadLoadedDevices(cluster, {"left", "right"});
    EXPECT_EQ(devices, kPlaces.size()) << "a device is missing in the metrics";
    return loaded;
  }

  /// The last apply, of the new version, was for this place.
  void ExpectServesOnlyAt(const Place& place) const {
    json status;
    ASSERT_TRUE(Eventually(
        [&] {
          status = cluster.Json({"app", "status", "cam"});
          return status["phase"] == "ready" && status["device"] == place.device;
        },
        kPatience))
        << status;
    EXPECT_EQ(status["loaded_model"], "probe:" + kNew);

    // At once: ready means that it answers, and that no copy which was overtaken answers in its place.
    const auto answer = Infer(place.node());
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json said = json::parse(answer.body, nullptr, false);
    ASSERT_TRUE(said.is_object()) << answer.body;
    EXPECT_EQ(said.at("model_version"), kNew) << "an apply that was overtaken answers";

    const std::string other = place.node() == "left" ? "right" : "left";
    EXPECT_TRUE(Eventually([&] { return Infer(other).status == 404; }, kPatience)) << other << " still serves a copy";
    EXPECT_TRUE(Eventually([&] { return LoadedDevices() == std::set{place.device}; }, kPatience))
        << "loaded on " << testing::PrintToString(LoadedDevices());
    EXPECT_EQ(Infer(place.node()).status, 200) << "it was stopped together with an earlier copy";
  }

  void ExpectNothingIsLeftOnceRemoved() const {
    ASSERT_EQ(cluster.Json({"app", "rm", "cam"})["removed"], "cam");
    for (const std::string node : {"left", "right"})
      EXPECT_TRUE(Eventually([&] { return Infer(node).status == 404; }, kPatience)) << node << " still serves it";
    EXPECT_TRUE(Eventually([&] { return LoadedDevices().empty(); }, kPatience))
        << "loaded on " << testing::PrintToString(LoadedDevices());
    EXPECT_TRUE(cluster.Json({"app", "list"})["apps"].empty());
  }

  /// Either it was there or it was not: nothing else may go wrong.
  void RemoveIfThere() const {
    const auto result = cluster.Run({"app", "rm", "cam"});
    if (result.exit_code == 0) return;
    EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
    EXPECT_THAT(result.out + result.err, testing::HasSubstr("'cam' does not exist"));
  }

  ProcessCluster cluster{{{"left", {"gpu", "edgetpu"}}, {"right", {"emulated_cpu"}}}};
};

TEST_F(RacingCommands, TheLastOfThreeAppliesServesAlone) {
  for (const auto& [first, second, last] : kChanges) {
    SCOPED_TRACE(first.device + ", then " + second.device + ", then " + last.device);
    const auto busy = KeepDevicesBusy();
    ASSERT_NO_FATAL_FAILURE(Apply(first, kOld));
    ASSERT_NO_FATAL_FAILURE(Apply(second, kOld));
    ASSERT_NO_FATAL_FAILURE(Apply(last, kNew));
    ASSERT_NO_FATAL_FAILURE(ExpectServesOnlyAt(last));
    ASSERT_NO_FATAL_FAILURE(ExpectNothingIsLeftOnceRemoved());
  }
}

TEST_F(RacingCommands, OneAppliesWhileAnotherRemoves) {
  const auto busy = KeepDevicesBusy();
  std::atomic<bool> applied = false;
  {
    const std::jthread applying([&] {
      for (size_t round = 0; round < kRounds; ++round)
        Apply(kPlaces[round % kPlaces.size()], kOld);
      applied = true;
    });
    for (size_t round = 0; round < 10 * kRounds && !applied; ++round)
      RemoveIfThere();
  }
  ASSERT_NO_FATAL_FAILURE(Apply(kGpu, kNew));
  ASSERT_NO_FATAL_FAILURE(ExpectServesOnlyAt(kGpu));
  ExpectNothingIsLeftOnceRemoved();
}

TEST_F(RacingCommands, TheLastApplyServesAloneAlthoughTheControllerIsKilledBetween) {
  for (const auto& [first, second, last] : kChanges) {
    SCOPED_TRACE(first.device + ", then " + second.device + ", then " + last.device);
    const auto busy = KeepDevicesBusy();
    ASSERT_NO_FATAL_FAILURE(ApplyOnceAgentsAreBack(first, kOld));
    RestartController();
    ASSERT_NO_FATAL_FAILURE(ApplyOnceAgentsAreBack(second, kOld));
    RestartController();
    ASSERT_NO_FATAL_FAILURE(ApplyOnceAgentsAreBack(last, kNew));
    ASSERT_NO_FATAL_FAILURE(ExpectServesOnlyAt(last));
    ASSERT_NO_FATAL_FAILURE(ExpectNothingIsLeftOnceRemoved());
  }
}

} // namespace
} // namespace avocet

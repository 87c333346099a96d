#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dev_cluster.h"

// One `avocet dev`: what it learnt survives, and how it stops, pauses and refuses company.
namespace avocet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Beyond the controller's lease of 3 s.
constexpr std::chrono::seconds kLongPause(4);

/// Processes that have `text` on their command line, this one not counted.
std::vector<std::string> ProcessesWith(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (entry.path().filename() == std::to_string(getpid())) continue;
    std::ostringstream line;
    line << std::ifstream(entry.path() / "cmdline").rdbuf();
    if (line.str().find(text) != std::string::npos) found.push_back(entry.path().filename());
  }
  return found;
}

class DevProcess : public testing::Test {
protected:
  /// One application on the emulated GPU, 10.83 ms of service each.
  void SetUp() override {
    cluster.Start();
    ASSERT_TRUE(cluster.WaitUntilServing());
    (void)cluster.Json({"model", "import", EmulatedModel("resnet18.toml").string()});
    ASSERT_FALSE(cluster.Json({"app", "apply", cluster.Write(AppFile{.name = "door", .model = "resnet18"})}).is_null());
  }

  json Door() { return cluster.Json({"app", "status", "door"}); }

  double GpuUtilization() {
    const json list = cluster.Json({"device", "list"});
    for (const auto& device : list["devices"]) {
      if (device["id"] == "box/gpu0") return device["utilization"];
    }
    return -1;
  }

  void ExpectServes() {
    ASSERT_TRUE(cluster.WaitUntilServing());
    const auto load = cluster.Run({"load", "door=10", "--arrival", "periodic", "--duration", "0.5", "-q"});
    EXPECT_EQ(load.exit_code, 0) << load.out << load.err;
  }

  std::unique_ptr<Process> StartLoad(const std::string& rate) {
    auto load = cluster.Spawn({"load", "door=" + rate, "--arrival", "periodic", "--duration", "60", "-q"});
    EXPECT_TRUE(Eventually([&] { return Door()["measured"]["requests"].get<int>() > 0; }, kPatience));
    return load;
  }

  DevCluster cluster;
};

TEST_F(DevProcess, FittedRatesSurviveACrash) {
  constexpr int kRate = 25;
  const double declared = GpuUtilization();
  const auto load = StartLoad(std::to_string(kRate));
  // Fits are written every 2 s; after this many requests at least one covers a good part of them.
  ASSERT_TRUE(Eventually([&] { return Door()["measured"]["requests"].get<int>() > 8 * kRate; }, kPatience));
  const auto is_busy = [&] { return GpuUtilization() > 2 * declared; };
  ASSERT_TRUE(Eventually(is_busy, kPatience)) << "the measured rate is far above the declared one";
  const double before = Door()["measured"]["rate_rps"];
  cluster.process().Kill();
  (void)load->Kill();
  cluster.Start();
  const json door = Door();
  EXPECT_GT(door["measured"]["requests"], 0) << "totals are kept";
  ASSERT_TRUE(door["measured"]["rate_rps"].is_number()) << door;
  EXPECT_THAT(door["measured"]["rate_rps"].get<double>(), testing::DoubleNear(before, 0.4 * before));
  EXPECT_TRUE(Eventually(is_busy, kPatience));
}

TEST_F(DevProcess, StopsInOrderOnSigtermEvenUnderLoad) {
  const auto load = StartLoad("20");
  cluster.process().Signal(SIGTERM);
  const auto end = cluster.process().Wait(kPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 0) << "ended by signal " << end->signal;
  (void)load->Kill();
  EXPECT_THAT(ProcessesWith(cluster.data_dir()), testing::IsEmpty());
  cluster.Start();
  ExpectServes();
}

TEST_F(DevProcess, SigintStopsItToo) {
  cluster.process().Signal(SIGINT);
  const auto end = cluster.process().Wait(kPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 0);
}

TEST_F(DevProcess, GoesOnServingAfterALongPause) {
  const auto load = StartLoad("5");
  cluster.process().Signal(SIGSTOP);
  EXPECT_FALSE(cluster.process().Wait(kLongPause).has_value());
  const auto asked = cluster.Run({"version", "--timeout", "0.5"});
  EXPECT_EQ(asked.exit_code, 4) << "a controller that stands still is a timeout: " << asked.err;
  cluster.process().Signal(SIGCONT);
  ExpectServes();
  (void)load->Kill();
}

TEST_F(DevProcess, ASecondOneOnTheSameDataIsRefused) {
  const auto second = RunToEnd({.command = cluster.DevCommand(), .stderr_file = {}, .environment = {}}, kPatience);
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.out, HasSubstr("in use by another process"));
  EXPECT_THAT(second.out, HasSubstr(cluster.data_dir().string()));
  ExpectServes();
}

TEST_F(DevProcess, ASecondOneOnTheSamePortIsRefused) {
  for (const std::string flag : {"--listen", "--inference"}) {
    const std::string taken = flag == "--listen" ? cluster.control() : cluster.inference();
    auto command = cluster.DevCommand();
    *(std::find(command.begin(), command.end(), "--data-dir") + 1) = cluster.folder() / "other";
    *(std::find(command.begin(), command.end(), flag) + 1) = taken;
    const auto second = RunToEnd({.command = command, .stderr_file = {}, .environment = {}}, kPatience);
    EXPECT_EQ(second.exit_code, 1) << flag;
    EXPECT_THAT(second.out, HasSubstr(taken)) << second.err;
  }
  ExpectServes();
}

} // namespace
} // namespace avocet

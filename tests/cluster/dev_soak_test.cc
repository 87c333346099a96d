#include <filesystem>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dev_cluster.h"

// As many requests as a closed loop gets through in ten seconds while models come and go: each is answered well
// and once, and no descriptor is left behind. bench/soak does the same for a million, and looks at the memory as well.
namespace avocet {
namespace {

using nlohmann::json;

/// Takes next to no time, so that the data plane is what is tested.
constexpr auto kFastModel = R"(
[[input]]
name = "image"
datatype = "UINT8"
shape = [1, 1024]
[[output]]
name = "scores"
datatype = "UINT8"
shape = [1, 16]
[device.gpu]
service_ms = 0.02
memory_mb = 10
)";

size_t Descriptors(pid_t pid) {
  const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<size_t>(std::distance(files, {}));
}

class DevSoak : public testing::Test {
protected:
  void SetUp() override {
    cluster.Start();
    ASSERT_TRUE(cluster.WaitUntilServing());
    (void)cluster.Json({"model", "import", cluster.Write("fast.toml", kFastModel)});
    (void)cluster.Json({"model", "import", EmulatedModel("resnet18.toml").string()});
    (void)cluster.Json({"model", "import", SampleModel("face_detection_short_range.tflite").string()});
    Apply({.name = "steady", .model = "fast", .rate_rps = 100, .p95_ms = 5000});
  }

  void Apply(const AppFile& app) { ASSERT_FALSE(cluster.Json({"app", "apply", cluster.Write(app)}).is_null()); }

  /// One model comes to each of two devices, and goes.
  void ComeAndGo() {
    Apply({.name = "guest-gpu", .model = "resnet18", .rate_rps = 0.1, .p95_ms = 5000});
    Apply({.name = "guest-cpu", .model = "face_detection_short_range", .kind = "cpu", .rate_rps = 0.1, .p95_ms = 5000});
    EXPECT_EQ(cluster.Run({"app", "rm", "guest-gpu"}).exit_code, 0);
    EXPECT_EQ(cluster.Run({"app", "rm", "guest-cpu"}).exit_code, 0);
  }

  uint64_t Answered() { return cluster.Json({"app", "status", "steady"})["measured"]["requests"]; }

  DevCluster cluster;
};

TEST_F(DevSoak, EveryRequestIsAnsweredOnceWhileModelsComeAndGo) {
  ComeAndGo();
  const size_t descriptors = Descriptors(cluster.process().pid());
  const auto load = cluster.Spawn({"load", "steady", "--concurrency", "8", "--duration", "10", "-q", "-o", "json"});
  int rounds = 0;
  do {
    ComeAndGo();
    ++rounds;
  } while (!load->Wait(std::chrono::milliseconds(1)));
  ASSERT_TRUE(load->Wait(kPatience));
  const json report = json::parse(load->unread(), nullptr, false);
  ASSERT_TRUE(report.is_object()) << load->unread();
  const json& app = report["apps"][0];
  const auto sent = app["sent"].get<uint64_t>();
  EXPECT_GT(sent, 100U);
  EXPECT_EQ(app["ok"], sent) << app;
  EXPECT_EQ(app["unanswered"], 0) << app;
  EXPECT_TRUE(Eventually([&] { return Answered() >= sent; }, kPatience));
  EXPECT_EQ(Answered(), sent) << "more answers than requests";
  EXPECT_GT(rounds, 0);
  EXPECT_TRUE(Eventually([&] { return Descriptors(cluster.process().pid()) <= descriptors; }, kPatience))
      << Descriptors(cluster.process().pid()) << " descriptors are open, " << descriptors << " were before";
}

} // namespace
} // namespace avocet

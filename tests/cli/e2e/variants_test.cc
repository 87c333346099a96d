#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "tests/support/dev_cluster.h"

// A model with a file for each of two engines, on a node that has both.
namespace avocet {
namespace {

using nlohmann::json;

std::vector<int> OwnCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(static_cast<size_t>(core), &set)) cores.push_back(core);
  return cores;
}

std::string Device(const std::string& name, const std::string& engine, int core) {
  return "[[device]]\nname = \"" + name + "\"\nkind = \"cpu\"\nengine = \"" + engine +
         "\"\nmemory_mb = 512\ncores = [" + std::to_string(core) + "]\n";
}

TEST(Variants, EachDeviceRunsTheFileOfItsEngine) {
  const auto cores = OwnCores();
  if (cores.size() < 2) GTEST_SKIP() << "two pinned devices need two cores";
  DevCluster cluster;
  (void)cluster.Write("dev.toml",
                      "name = \"box\"\n" + Device("lite", "tflite", cores[0]) + Device("onnx", "onnx", cores[1]));
  cluster.Start();
  ASSERT_TRUE(cluster.WaitUntilServing());
  const json model = cluster.Json({"model", "import", SampleModel("face_landmark.tflite"),
                                   SampleModel("ch_ppocr_mobile_v2.0_cls_infer.onnx"), "--name", "twin"});
  ASSERT_TRUE(model.is_object());
  std::map<std::string, std::string> format_on; // by the engine in the device's type
  for (const std::string device : {"box/lite", "box/onnx"}) {
    const json profiles = cluster.Json({"model", "profile", "twin", "--device", device});
    ASSERT_TRUE(profiles.is_object() && profiles["profiles"].size() == 1) << profiles;
    format_on[device] = profiles["profiles"][0]["format"];
    EXPECT_GT(profiles["profiles"][0]["service_ms"], 0);
    EXPECT_EQ(profiles["profiles"][0]["emulated"], false);
  }
  EXPECT_EQ(format_on, (std::map<std::string, std::string>{{"box/lite", "tflite"}, {"box/onnx", "onnx"}}));
}

TEST(Variants, AModelWithoutTheEnginesFileIsRefusedThereByName) {
  DevCluster cluster;
  cluster.Start();
  ASSERT_TRUE(cluster.WaitUntilServing());
  (void)cluster.Json({"model", "import", SampleModel("ch_ppocr_mobile_v2.0_cls_infer.onnx"), "--name", "direction"});
  const auto plan = cluster.Run({"app", "plan", cluster.Write({.name = "a", .model = "direction", .kind = "cpu"})});
  EXPECT_EQ(plan.exit_code, 2);
  EXPECT_THAT(plan.out, testing::HasSubstr("has no tflite file, which device 'box/cpu0' needs"));
}

} // namespace
} // namespace avocet

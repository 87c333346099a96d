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

TEST(OpenExtents, AreSetByTheImport) {
  DevCluster cluster;
  (void)cluster.Write("dev.toml", "name = \"box\"\n" + Device("cpu0", "onnx", OwnCores().back()));
  cluster.Start();
  ASSERT_TRUE(cluster.WaitUntilServing());
  const std::string file = SampleModel("ch_ppocr_mobile_v2.0_cls_infer.onnx");
  const json open = cluster.Json({"model", "import", file, "--name", "open"});
  const json set = cluster.Json({"model", "import", file, "--name", "set", "--shape", "x=4x3x48x192"});
  ASSERT_TRUE(open.is_object() && set.is_object());
  EXPECT_NE(open["variants"][0]["sha256"], set["variants"][0]["sha256"]);
  const json profiles = cluster.Json({"model", "profile", "set"});
  ASSERT_TRUE(profiles.is_object()) << "the library takes the changed file";
  EXPECT_GT(profiles["profiles"].at(0)["service_ms"], 0);
  const auto wrong = cluster.Run({"model", "import", file, "--name", "wrong", "--shape", "x=1x4x48x192"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, testing::HasSubstr("input 'x': is ?x3x?x? in the model; 1x4x48x192 does not fit"));
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

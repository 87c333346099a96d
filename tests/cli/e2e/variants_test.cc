#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "tests/support/dev_cluster.h"
#include "tests/support/onnx_writer.h"

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
  // The same inputs and outputs as the other file's.
  const Tensor points = FloatTensor("points", {1, 1, 1, 1404}, std::vector<float>(1404, 1));
  const Tensor score = FloatTensor("score", {1, 1, 1, 1}, {1});
  const std::string twin = cluster.Write(
      "twin.onnx",
      Encode(
          {.inputs = {{"input_1", DataType::kFp32, {1, 192, 192, 3}}},
           .outputs = {{"conv2d_21", DataType::kFp32, {1, 1, 1, 1404}}, {"conv2d_31", DataType::kFp32, {1, 1, 1, 1}}},
           .constants = {points, score},
           .nodes = {{"Identity", {"points"}, {"conv2d_21"}}, {"Identity", {"score"}, {"conv2d_31"}}}}));
  const json model = cluster.Json({"model", "import", SampleModel("face_landmark.tflite"), twin, "--name", "twin"});
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

TEST(Variants, FilesOfTwoNetworksAreNoModel) {
  DevCluster cluster;
  cluster.Start();
  const auto pair = cluster.Run({"model", "import", SampleModel("face_landmark.tflite"),
                                 SampleModel("ch_ppocr_mobile_v2.0_cls_infer.onnx"), "--name", "pair"});
  EXPECT_EQ(pair.exit_code, 1);
  EXPECT_THAT(pair.err, testing::HasSubstr("two different networks"));
  EXPECT_TRUE(cluster.Json({"model", "list"})["models"].empty());

  // Nor one after the other.
  EXPECT_EQ(cluster.Run({"model", "import", SampleModel("face_landmark.tflite"), "--name", "pair"}).exit_code, 0);
  const auto second =
      cluster.Run({"model", "import", SampleModel("ch_ppocr_mobile_v2.0_cls_infer.onnx"), "--name", "pair"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, testing::HasSubstr("two different networks"));
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

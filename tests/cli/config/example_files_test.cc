#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "cli/config/config_files.h"
#include "cli/config/machine_check.h"
#include "cli/config/toml_reader.h"
#include "cli/load/load_trace.h"
#include "cli/offline/predict_file.h"

namespace avocet {
namespace {

namespace fs = std::filesystem;

/// Parses every example whose name begins with `prefix`; returns how many there were.
template <class Parse> int ForExamples(const std::string& prefix, const Parse& parse) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(AVOCET_EXAMPLES)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || entry.path().extension() != ".toml") continue;
    const auto text = ReadConfigFile(entry.path());
    EXPECT_TRUE(text.ok()) << name;
    const auto parsed = parse(text.ok() ? *text : "", name);
    EXPECT_TRUE(parsed.ok()) << parsed.status().message();
    ++count;
  }
  return count;
}

TEST(ExampleFiles, ApplicationsAreValid) {
  EXPECT_GE(ForExamples("app-", ParseApplicationFile), 3);
}
TEST(ExampleFiles, AgentsAreValid) {
  EXPECT_GE(ForExamples("agent-", ParseAgentConfig), 2);
}
TEST(ExampleFiles, ControllerIsValid) {
  EXPECT_EQ(ForExamples("controller", ParseControllerConfig), 1);
}
TEST(ExampleFiles, DevIsValid) {
  EXPECT_EQ(ForExamples("dev", ParseDevConfig), 1);
}

TEST(ExampleFiles, PredictIsValid) {
  const auto text = ReadConfigFile(fs::path(AVOCET_EXAMPLES) / "predict.toml");
  ASSERT_TRUE(text.ok());
  const auto devices = ParsePredictFile(*text, "predict.toml");
  ASSERT_TRUE(devices.ok()) << devices.status().message();
  EXPECT_EQ(devices->size(), 2U);
}
TEST(ExampleFiles, ArrivalsAreValid) {
  const auto text = ReadConfigFile(fs::path(AVOCET_EXAMPLES) / "arrivals.csv");
  ASSERT_TRUE(text.ok());
  const auto trace = ParseLoadTrace(*text, "arrivals.csv");
  ASSERT_TRUE(trace.ok()) << trace.status().message();
  EXPECT_GT(trace->requests.size(), 20U);
}

/// Two cores are what the smallest machines have.
TEST(ExampleFiles, AgentsNeedNoMoreThanTwoCores) {
  for (const std::string name : {"agent-cpu.toml", "agent-jetson.toml"}) {
    const auto text = ReadConfigFile(fs::path(AVOCET_EXAMPLES) / name);
    ASSERT_TRUE(text.ok());
    Machine machine;
    machine.cpu = {.model = "n100", .cores = {0, 1}, .memory_bytes = 2048 * kMiB};
    EXPECT_EQ(CheckMachineHas(ParseAgentConfig(*text, name)->devices, machine), Status()) << name;
  }
}

TEST(ExampleFiles, ControllerShowsTheDefaults) {
  const auto text = ReadConfigFile(fs::path(AVOCET_EXAMPLES) / "controller.toml");
  ASSERT_TRUE(text.ok());
  const auto shown = ParseControllerConfig(*text, "controller.toml");
  ASSERT_TRUE(shown.ok());
  const ControllerConfig defaults;
  EXPECT_EQ(shown->data_dir, defaults.data_dir);
  EXPECT_EQ(shown->listen, defaults.listen);
  EXPECT_EQ(shown->policy.mean_tolerance, defaults.policy.mean_tolerance);
  EXPECT_EQ(shown->policy.percentile_tolerance, defaults.policy.percentile_tolerance);
  EXPECT_EQ(shown->policy.max_utilization, defaults.policy.max_utilization);
  EXPECT_EQ(shown->policy.max_preprocess_cpu, defaults.policy.max_preprocess_cpu);
  EXPECT_EQ(shown->policy.memory_fraction, defaults.policy.memory_fraction);
  EXPECT_EQ(shown->policy.placement, defaults.policy.placement);
  EXPECT_EQ(shown->policy.max_moves, defaults.policy.max_moves);
}

TEST(ReadConfigFile, NamesAMissingFile) {
  const auto text = ReadConfigFile("/nonexistent/app.toml");
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(text.status().message(), ::testing::HasSubstr("/nonexistent/app.toml"));
}

TEST(ReadConfigFile, RefusesAFolder) {
  EXPECT_FALSE(ReadConfigFile(AVOCET_EXAMPLES).ok());
}

TEST(ReadConfigFile, ReadsUpToTheLimitAndNotOnePast) {
  std::string name = (fs::temp_directory_path() / "avocet-config-XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const fs::path file = fs::path(name) / "a.toml";
  std::ofstream(file) << std::string(kMaxTomlBytes, '\n');
  EXPECT_TRUE(ReadConfigFile(file).ok());
  std::ofstream(file, std::ios::app) << '\n';
  const auto text = ReadConfigFile(file);
  EXPECT_EQ(text.status().code(), StatusCode::kResourceExhausted);
  fs::remove_all(name);
}

} // namespace
} // namespace avocet

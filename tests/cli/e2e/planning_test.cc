#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/dev_cluster.h"

// Simulations and plans: commands that ask the decision function without a controller.
namespace avocet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kInstance = AVOCET_SOURCE_DIR "/tests/data/placement/p_n4_s201.json";
const std::string kCapacity = AVOCET_SOURCE_DIR "/deploy/examples/capacity.toml";

json Answer(std::vector<std::string> arguments, int exit_code = 0) {
  arguments.insert(arguments.end(), {"-o", "json"});
  const auto result = RunAvocet(arguments);
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  return json::parse(result.out, nullptr, false);
}

json Simulated(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"simulate", kInstance, "--statistic", "mean"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  auto answer = Answer(arguments);
  answer.erase("timing");
  return answer;
}

TEST(Simulate, KeepsItsPromisesAndSaysSoTheSameWithAnyNumberOfThreads) {
  const auto one = Simulated({"--jobs", "1"});
  EXPECT_EQ(one, Simulated({"--jobs", "2"}));
  EXPECT_EQ(one.at("policy"), "fragmentation");
  EXPECT_EQ(one.at("violations"), json::array()) << one.dump(2);
  EXPECT_GT(one.at("hosted").get<int>(), 20);
  EXPECT_GT(one.at("clean_prefix").get<int>(), 10);
}

TEST(Simulate, ShowsWhatAKnapsackBreaks) {
  EXPECT_FALSE(Simulated({"--policy", "memory_first"}).at("violations").empty());
}

TEST(Simulate, NamesTheFileThatIsMissing) {
  const auto result = RunAvocet({"simulate", "/does/not/exist.json"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("/does/not/exist.json"));
}

TEST(Capacity, FindsACheapClusterThatHostsAllAndABoundBelowIt) {
  const auto answer = Answer({"capacity", kCapacity});
  EXPECT_GT(answer.at("price_bound").get<double>(), 0); // the linear solver was found
  EXPECT_GE(answer.at("price"), answer.at("price_bound"));
  for (const auto& app : answer.at("apps"))
    EXPECT_EQ(app.at("hosted"), app.at("count")) << app.dump();
}

TEST(Capacity, NamesTheFileAndTheFieldThatIsWrong) {
  TempDir folder;
  const auto path = folder.path() / "wrong.toml";
  std::ifstream example(kCapacity);
  std::string text((std::istreambuf_iterator<char>(example)), {});
  const std::string count = "count = 12";
  ASSERT_NE(text.find(count), std::string::npos);
  text.replace(text.find(count), count.size(), "count = -1");
  std::ofstream(path) << text;
  const auto result = RunAvocet({"capacity", path.string()});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, AllOf(HasSubstr(path.string()), HasSubstr("count")));
}

} // namespace
} // namespace avocet

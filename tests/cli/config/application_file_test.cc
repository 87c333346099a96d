#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/config/config_files.h"
#include "cli/config/config_reader.h"

namespace avocet {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kFull = R"(name = "doorcam-face"
model = "face_detection_short_range"
tenant = "cameras"
priority = 70
rate_rps = 12.0
rate = "measured"
arrival = "scv:2.5"
objective = { statistic = "p99", latency_ms = 50.0 }
network_allowance_ms = 1.5
preprocess_ms = 0.25
[placement]
device_kinds = ["cpu", "edgetpu"]
)";

constexpr auto kMinimal = R"(name = "a"
model = "m:2"
rate_rps = 12
objective = { statistic = "mean", latency_ms = 50 }
)";

/// kMinimal with one line (from 1) replaced.
std::string WithLine(int line, const std::string& replacement) {
  std::string text = kMinimal;
  size_t begin = 0;
  for (int i = 1; i < line; ++i)
    begin = text.find('\n', begin) + 1;
  return text.replace(begin, text.find('\n', begin) - begin, replacement);
}

std::string ErrorOf(const std::string& text) {
  const auto app = ParseApplicationFile(text, "app.toml");
  if (app.ok()) return "no error";
  EXPECT_EQ(app.status().code(), StatusCode::kInvalidArgument);
  return app.status().message();
}

TEST(ApplicationFile, ReadsEveryKey) {
  const auto app = ParseApplicationFile(kFull, "app.toml");
  ASSERT_TRUE(app.ok()) << app.status().message();
  Application expected;
  expected.name = AppId("doorcam-face");
  expected.model = "face_detection_short_range";
  expected.tenant = "cameras";
  expected.priority = 70;
  expected.rate_rps = 12;
  expected.rate_source = RateSource::kMeasured;
  expected.arrival = {ArrivalKind::kScv, 2.5};
  expected.objective = {Statistic::kP99, std::chrono::milliseconds(50)};
  expected.network_allowance = std::chrono::microseconds(1500);
  expected.preprocess = std::chrono::microseconds(250);
  expected.device_kinds = {DeviceKind::kCpu, DeviceKind::kEdgeTpu};
  EXPECT_EQ(*app, expected);
}

TEST(ApplicationFile, FillsInTheDefaultsOfTheStruct) {
  const auto app = ParseApplicationFile(kMinimal, "app.toml");
  ASSERT_TRUE(app.ok()) << app.status().message();
  Application expected;
  expected.name = AppId("a");
  expected.model = "m:2";
  expected.rate_rps = 12;
  expected.objective = {Statistic::kMean, std::chrono::milliseconds(50)};
  EXPECT_EQ(*app, expected);
}

TEST(ApplicationFile, UnknownKeyNamesTheNearest) {
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "rate_rp = 1\n"),
            "app.toml:5:1: field 'rate_rp': unknown key 'rate_rp'; did you mean 'rate_rps'?");
}

TEST(ApplicationFile, UnknownKeyThatIsLikeNothingListsTheValidOnes) {
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "colour = 1\n"),
              AllOf(StartsWith("app.toml:5:1: field 'colour': unknown key 'colour'; valid: arrival, "),
                    EndsWith(", rate, rate_rps, tenant")));
}

TEST(ApplicationFile, UnknownKeyInsideATable) {
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "[placement]\n  device_kind = [\"cpu\"]\n"),
            "app.toml:6:3: field 'placement.device_kind': unknown key 'device_kind'; did you mean 'device_kinds'?");
  EXPECT_EQ(ErrorOf(WithLine(4, "objective = { statistic = \"p95\", latency = 50 }")),
            "app.toml:4:13: field 'objective.latency_ms': missing; add latency_ms = 1.5\n"
            "app.toml:4:34: field 'objective.latency': unknown key 'latency'; did you mean 'latency_ms'?");
}

TEST(ApplicationFile, KeyBelowTheWrongTableSaysWhereItBelongs) {
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "[placement]\ntenant = \"x\"\n"),
            "app.toml:6:1: field 'placement.tenant': unknown key 'tenant' here; it belongs to the top level, above "
            "the first [table]");
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "device_kinds = [\"cpu\"]\n"),
            "app.toml:5:1: field 'device_kinds': unknown key 'device_kinds' here; it belongs to [placement]");
}

TEST(ApplicationFile, WrongType) {
  EXPECT_EQ(ErrorOf(WithLine(3, "rate_rps = \"12\"")),
            "app.toml:3:12: field 'rate_rps': expected a number, found a string; write e.g. rate_rps = 1.5");
  EXPECT_EQ(ErrorOf(WithLine(1, "name = 7")),
            "app.toml:1:8: field 'name': expected a string, found an integer; write e.g. name = \"...\"");
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "priority = 1.5\n"),
            "app.toml:5:12: field 'priority': expected an integer, found a number; write e.g. priority = 50");
  EXPECT_THAT(ErrorOf(WithLine(4, "objective = \"p95\"")),
              StartsWith("app.toml:4:13: field 'objective': expected a table, found a string; write e.g. objective = "
                         "{ statistic = \"p95\", latency_ms = 50.0 }"));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "placement = 1\n"),
              StartsWith("app.toml:5:13: field 'placement': expected a table, found an integer"));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "[placement]\ndevice_kinds = \"cpu\"\n"),
              StartsWith("app.toml:6:16: field 'placement.device_kinds': expected an array, found a string"));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "rate = 3\n"),
              StartsWith("app.toml:5:8: field 'rate': expected a string, found an integer; use one of: measured"));
}

TEST(ApplicationFile, MissingRequiredKeys) {
  EXPECT_EQ(ErrorOf(""), "app.toml:1:1: field 'name': missing; add name = \"...\"\n"
                         "app.toml:1:1: field 'model': missing; add model = \"...\"\n"
                         "app.toml:1:1: field 'rate_rps': missing; add rate_rps = 1.5\n"
                         "app.toml:1:1: field 'objective': missing; add objective = { statistic = \"p95\", "
                         "latency_ms = 50.0 }");
}

TEST(ApplicationFile, InvalidChoices) {
  EXPECT_EQ(ErrorOf(WithLine(4, "objective = { statistic = \"p96\", latency_ms = 50 }")),
            "app.toml:4:27: field 'objective.statistic': 'p96' is not valid; use one of: mean, p50, p95, p99; did you "
            "mean 'p95'?");
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "[placement]\ndevice_kinds = [\"cpu\", \"gpus\"]\n"),
            "app.toml:6:24: field 'placement.device_kinds[1]': 'gpus' is not valid; use one of: cpu, gpu, edgetpu; "
            "did you mean 'gpu'?");
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "arrival = \"poison\"\n"),
            "app.toml:5:11: field 'arrival': 'poison' is not valid; use poisson, periodic or scv:<number from 0 to "
            "100>; did you mean 'poisson'?");
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "arrival = \"scv:101\"\n"), StartsWith("app.toml:5:11: field 'arrival'"));
}

TEST(ApplicationFile, ValuesOutOfRangeAreFoundAtTheirPlace) {
  EXPECT_EQ(ErrorOf(WithLine(3, "rate_rps = -1")), "app.toml:3:12: field 'rate_rps': is -1; it must be > 0 and <= 1e6");
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "priority = 101\n"),
              StartsWith("app.toml:5:12: field 'priority': is 101; it must be from 0 to 100"));
  EXPECT_THAT(ErrorOf(WithLine(1, "name = \"no spaces\"")), StartsWith("app.toml:1:8: field 'name': is "));
  EXPECT_THAT(ErrorOf(WithLine(4, "objective = { statistic = \"p95\", latency_ms = 0 }")),
              StartsWith("app.toml:4:47: field 'objective.latency_ms': is "));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "network_allowance_ms = 50\n"),
              StartsWith("app.toml:5:24: field 'network_allowance_ms': is "));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "[placement]\ndevice_kinds = [\"cpu\", \"cpu\"]\n"),
              StartsWith("app.toml:6:16: field 'placement.device_kinds': is "));
}

TEST(ApplicationFile, NumbersThatNoFieldCanHoldAreRefused) {
  EXPECT_THAT(ErrorOf(WithLine(3, "rate_rps = inf")), StartsWith("app.toml:3:12: field 'rate_rps': is not a finite"));
  EXPECT_THAT(ErrorOf(WithLine(3, "rate_rps = nan")), StartsWith("app.toml:3:12: field 'rate_rps': is not a finite"));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "priority = 4294967297\n"),
              StartsWith("app.toml:5:12: field 'priority': 4294967297 is out of range"));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "preprocess_ms = 1e300\n"),
              StartsWith("app.toml:5:17: field 'preprocess_ms': 1e+300 ms is out of range"));
}

TEST(ApplicationFile, ReportsAllProblemsInOrderOfPlace) {
  EXPECT_EQ(ErrorOf("zzz = 1\nname = 7\nmodel = \"m\"\nrate_rps = true\nobjective = { statistic = \"p95\", latency_ms "
                    "= 5 }\n"),
            "app.toml:1:1: field 'zzz': unknown key 'zzz'; valid: arrival, model, name, network_allowance_ms, "
            "objective, placement, preprocess_ms, priority, rate, rate_rps, tenant\n"
            "app.toml:2:8: field 'name': expected a string, found an integer; write e.g. name = \"...\"\n"
            "app.toml:4:12: field 'rate_rps': expected a number, found a boolean; write e.g. rate_rps = 1.5");
}

TEST(ApplicationFile, ReportsAtMostTheFirstTenProblems) {
  std::string text = kMinimal;
  for (size_t i = 0; i < ConfigFile::kMaxProblems; ++i)
    text += "zzz" + std::to_string(i) + " = 1\n";
  EXPECT_THAT(ErrorOf(text), AllOf(HasSubstr("'zzz9'"), Not(HasSubstr("more problems"))));
  EXPECT_THAT(ErrorOf(text + "zzzz = 1\n"),
              AllOf(Not(HasSubstr("'zzzz'")), EndsWith("\napp.toml: and 1 more problems")));
}

TEST(ApplicationFile, SyntaxErrorIsPlaced) {
  EXPECT_THAT(ErrorOf(WithLine(2, "model = ")), StartsWith("app.toml:2:"));
}

} // namespace
} // namespace avocet

#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/offline/predict_cases.h"
#include "cli/offline/predict_file.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr auto kVectors = AVOCET_TEST_DATA "/queueing/queueing_reference.json";

/// What is written to std::cout while it lives.
class CapturedOutput {
public:
  CapturedOutput() : old_(std::cout.rdbuf(text_.rdbuf())) {}
  ~CapturedOutput() { std::cout.rdbuf(old_); }
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;
  std::string text() const { return text_.str(); }

private:
  std::ostringstream text_;
  std::streambuf* old_;
};

struct Outcome {
  int code = 0;
  std::string text;
};

Outcome RunPredict(const PredictOptions& options, OutputFormat format = OutputFormat::kJson) {
  CapturedOutput captured;
  Context context;
  context.render.format = format;
  const int code = PredictCommand(context, options);
  return {code, captured.text()};
}

/// Goals for the relative error of the mean and of p95 at utilizations up to 0.85.
struct Bound {
  double mean, p95;
};
const std::map<std::string, Bound> kBounds = {{"fcfs_switch", {1e-6, 0.002}}, {"mg1_ps", {1e-8, 0.015}},
                                              {"hybrid_ps", {0.12, 0.03}},    {"mmc_fcfs", {1e-7, 1e-6}},
                                              {"mgc_ps", {1e-8, 0.02}},       {"mgc_fcfs", {0.01, 0.02}}};

void ExpectClose(const json& expected, const json& answered, double bound, const std::string& what) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].is_null()) continue;
    ASSERT_TRUE(answered.at(i).is_number()) << what;
    EXPECT_NEAR(answered[i].get<double>() / expected[i].get<double>(), 1, bound) << what;
  }
}

TEST(PredictCommand, AnswersTheReferenceCases) {
  std::ifstream file(kVectors);
  const json reference = json::parse(file)["cases"];
  const auto outcome = RunPredict({.file = {}, .cases = kVectors, .simulated_requests = 400000});
  ASSERT_EQ(outcome.code, kExitOk) << outcome.text;
  const json answers = json::parse(outcome.text)["cases"];
  ASSERT_EQ(answers.size(), reference.size());
  for (size_t i = 0; i < reference.size(); ++i) {
    const json &expected = reference[i]["outputs"], &answered = answers[i]["outputs"];
    const std::string id = reference[i]["id"];
    EXPECT_EQ(answers[i]["id"], id);
    EXPECT_NEAR(answered["rho"].get<double>(), expected["rho"].get<double>(), 1e-5) << id;
    EXPECT_EQ(answered["stable"], expected.value("stable", true)) << id;
    if (!expected.value("stable", true) || expected["rho"] > 0.85) continue;
    const Bound& bound = kBounds.at(reference[i]["model"]);
    ExpectClose(expected["mean_s"], answered["mean_s"], bound.mean, id + " mean");
    ExpectClose(expected["p95_s"], answered["p95_s"], bound.p95, id + " p95");
  }
}

TEST(PredictCommand, GivesNullsWithoutSteadyState) {
  QueueingCase one;
  one.load.apps = {{.app = AppId("a"), .model = MakeModelId("m", "1"), .rate_rps = 100, .service = {0.02, 0}}};
  const auto answer = AnswerCase(one, 1000);
  EXPECT_FALSE(answer.stable);
  EXPECT_EQ(answer.mean_s, std::vector<std::optional<double>>(1));
  EXPECT_EQ(answer.method, "no steady state");
}

TEST(PredictCommand, WantsAFileOrCases) {
  EXPECT_EQ(RunPredict({}).code, kExitError);
  EXPECT_EQ(RunPredict({.file = "a", .cases = "b"}).code, kExitError);
  EXPECT_EQ(RunPredict({.file = "/nonexistent/file.toml"}).code, kExitError);
}

TEST(PredictCases, SaysWhichCaseIsWrong) {
  const auto message = [](const std::string& inputs) {
    const std::string entry = R"({"id":"one","model":"mg1_ps","inputs":)" + inputs + "}";
    return ParseCases(R"({"cases":[)" + entry + "]}", "f.json").status().ToString();
  };
  EXPECT_THAT(message("{}"), HasSubstr("f.json: case 1 (one): has no 'lambda_per_s'"));
  EXPECT_THAT(message(R"({"lambda_per_s":[1],"service_s":[0]})"), HasSubstr("'service_s' must be"));
  EXPECT_THAT(message(R"({"lambda_per_s":[1,2],"service_s":[1]})"), HasSubstr("equally long"));
  EXPECT_THAT(message(R"({"lambda_per_s":["1"],"service_s":[1]})"), HasSubstr("'lambda_per_s' must be"));
  EXPECT_THAT(message("[]"), HasSubstr("has no 'lambda_per_s'"));
  EXPECT_FALSE(ParseCases("{", "f.json").ok());
  EXPECT_FALSE(ParseCases(R"({"cases":[7]})", "f.json").ok());
  EXPECT_FALSE(ParseCases(R"({"cases":[{"model":"x","inputs":{"lambda_per_s":[1],"service_s":[1]}}]})", "f").ok());
}

constexpr auto kDevices = R"([[device]]
name = "tpu"
discipline = "fifo"
[[device.app]]
name = "a"
rate_rps = 10
service_ms = 20
scv = 1.0
objective = { statistic = "mean", latency_ms = 40 }
)";

TEST(PredictFile, ReadsWhatADeviceServes) {
  const auto devices = ParsePredictFile(kDevices, "d.toml");
  ASSERT_TRUE(devices.ok()) << devices.status().ToString();
  const auto prediction = PredictOne(devices->at(0), 0);
  EXPECT_EQ(prediction.name, "tpu");
  EXPECT_DOUBLE_EQ(prediction.utilization, 0.2);
  EXPECT_NEAR(prediction.apps.at(0).times->mean_s, 0.025, 1e-12); // M/M/1: s / (1 - rho)
  EXPECT_TRUE(*prediction.apps.at(0).objective_met);
  EXPECT_NEAR(*prediction.apps.at(0).within_objective, 1 - std::exp(-1.6), 1e-4);
  EXPECT_NEAR(*prediction.max_rate_factor, 2.5, 0.01);
}

TEST(PredictFile, ReadsTheSameFromJson) {
  const auto toml = ParsePredictFile(kDevices, "d.toml");
  const auto parsed = ParsePredictFile(R"({"device":[{"name":"tpu","discipline":"fifo","app":[{"name":"a","rate_rps":10,
      "service_ms":20,"scv":1.0,"objective":{"statistic":"mean","latency_ms":40}}]}]})",
                                       "d.json");
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(PredictOne(parsed->at(0), 0).apps.at(0).times->p95_s, PredictOne(toml->at(0), 0).apps.at(0).times->p95_s);
}

TEST(PredictFile, NamesTheFieldThatIsWrong) {
  const auto message = [](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return ParsePredictFile(text, "d.toml").status().ToString();
  };
  EXPECT_THAT(message(kDevices, "rate_rps", "rate_rsp"), HasSubstr("d.toml:6:1: field 'device[0].app[0].rate_rsp'"));
  EXPECT_THAT(message(kDevices, "service_ms = 20", "service_ms = 0"), HasSubstr("'device[0].app[0].service_ms'"));
  EXPECT_THAT(message(kDevices, "\"fifo\"", "\"fifi\""), HasSubstr("'device[0].discipline'"));
  EXPECT_FALSE(ParsePredictFile("", "d.toml").ok());
  EXPECT_FALSE(ParsePredictFile("{\"device\":null}", "d.json").ok());
  EXPECT_FALSE(ParsePredictFile(std::string(100, '{'), "d.json").ok());
  EXPECT_FALSE(ParsePredictFile("{\"device\":" + std::string(100, '[') + std::string(100, ']') + "}", "d.json").ok());
}

TEST(PredictFile, NamesThePlaceInJsonAsWell) {
  const auto message = [](const std::string& app) {
    const std::string text = "{\"device\": [\n  {\"discipline\": \"fifo\",\n   \"app\": [" + app + "]}]}";
    return ParsePredictFile(text, "d.json").status().ToString();
  };
  EXPECT_THAT(message(R"({"name": "a", "rate_rps": -1, "service_ms": 1})"),
              HasSubstr("d.json:3:38: field 'device[0].app[0].rate_rps'"));
  EXPECT_THAT(message(R"({"name": "\u00e9", "rate_rps": 1, "service_ms": true})"),
              HasSubstr("d.json:3:60: field 'device[0].app[0].service_ms': expected a number, found a boolean"));
  EXPECT_THAT(message(R"({"name": "é", "rate_rps": 1, "servise_ms": 2})"), HasSubstr("d.json:3:41: field"));
  EXPECT_THAT(message(R"({"name": null})"), HasSubstr("d.json:3:21: null is no value"));
  EXPECT_THAT(message(R"({"name": "a", "name": "b"})"), HasSubstr("d.json:3:26: key 'name' appears twice"));
  EXPECT_THAT(message("{,}"), HasSubstr("d.json:3:13: not valid JSON"));
  EXPECT_THAT(message(std::string(40, '[')), HasSubstr("nested deeper than 16 levels"));
}

constexpr auto kMixture = R"([[device]]
discipline = "fifo"
[[device.app]]
name = "a"
rate_rps = 10
rate_observations = 50
service_parts = [{ probability = 0.8, mean_ms = 10 }, { probability = 0.2, mean_ms = 60, scv = 1 }]
service_observations = 50
switch_error_ms = 1
tail_ms = 2
)";

TEST(PredictFile, ReadsMixturesAndWhatTheyRestOn) {
  const auto devices = ParsePredictFile(kMixture, "d.toml");
  ASSERT_TRUE(devices.ok()) << devices.status().ToString();
  const auto& app = devices->at(0).load.apps.at(0);
  EXPECT_DOUBLE_EQ(app.service.mean_s, 0.02);
  EXPECT_EQ(app.service.parts.size(), 2u);
  EXPECT_EQ(app.service.observations, 50);
  EXPECT_EQ(app.rate_observations, 50);
  EXPECT_DOUBLE_EQ(app.tail_s, 0.002);
  EXPECT_DOUBLE_EQ(app.switch_error_s, 0.001);
  const double second = 0.8 * 1e-4 + 0.2 * 2 * 36e-4; // Pollaczek-Khinchine
  EXPECT_NEAR(PredictOne(devices->at(0), 0).apps.at(0).times->mean_s, 0.022 + 10 * second / (2 * 0.8), 1e-12);
}

TEST(PredictFile, RefusesImpossibleMixtures) {
  const auto message = [](const std::string& from, const std::string& to) {
    std::string text = kMixture;
    text.replace(text.find(from), from.size(), to);
    return ParsePredictFile(text, "d.toml").status().ToString();
  };
  EXPECT_THAT(message("0.8", "0.7"), HasSubstr("d.toml:7:17: field 'device[0].app[0].service_parts'"));
  EXPECT_THAT(message("mean_ms = 60", "mean_ms = 0"), HasSubstr("service_parts[1].mean_ms'"));
  EXPECT_THAT(message("tail_ms", "service_ms"), HasSubstr("leave one of them out"));
}

TEST(PredictCases, AcceptMixtures) {
  const auto cases = ParseCases(R"({"cases":[{"id":"a","model":"mg1_ps","inputs":{"lambda_per_s":[10],
      "service_parts":[[{"probability":0.5,"mean_s":0.01},{"probability":0.5,"mean_s":0.03,"scv":1}]]}}]})",
                                "f.json");
  ASSERT_TRUE(cases.ok()) << cases.status().ToString();
  EXPECT_NEAR(*AnswerCase(cases->at(0), 0).mean_s.at(0), 0.02 / 0.8, 1e-12);
}

TEST(PredictCommand, PessimisticIsNeverLower) {
  const TempDir folder;
  const auto path = folder.path() / "devices.toml";
  std::ofstream(path) << kMixture;
  const auto mean = [&](bool pessimistic) {
    const auto outcome = RunPredict({.file = path, .pessimistic = pessimistic});
    return json::parse(outcome.text)["devices"][0]["apps"][0]["mean_ms"].get<double>();
  };
  EXPECT_GT(mean(true), mean(false) * 1.1);
}

TEST(PredictCommand, PrintsEveryKey) {
  const TempDir folder;
  const auto path = folder.path() / "devices.toml";
  std::ofstream(path) << kDevices;
  const auto outcome = RunPredict({.file = path});
  ASSERT_EQ(outcome.code, kExitOk) << outcome.text;
  const json device = json::parse(outcome.text)["devices"][0];
  for (const char* key : {"name", "discipline", "utilization", "stable", "apps", "max_rate_factor"})
    EXPECT_TRUE(device.contains(key)) << key;
  for (const char* key : {"name", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "objective_met", "p_within_objective"})
    EXPECT_TRUE(device["apps"][0].contains(key)) << key;
  EXPECT_THAT(RunPredict({.file = path}, OutputFormat::kTable).text, HasSubstr("mean <= 40 ms"));
}

} // namespace
} // namespace avocet

#include "cli/offline/replay_file.h"

#include <iostream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/render/columns.h"

namespace avocet {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

struct Outcome {
  int code = 0;
  std::string text;
};

Outcome RunReplay(const ReplayOptions& options, OutputFormat format = OutputFormat::kJson) {
  std::ostringstream captured;
  std::streambuf* const old = std::cout.rdbuf(captured.rdbuf());
  Context context;
  context.render.format = format;
  const int code = ReplayCommand(context, options);
  std::cout.rdbuf(old);
  return {code, captured.str()};
}

class RealTraces : public ::testing::TestWithParam<const char*> {
protected:
  std::string path() const { return std::string(AVOCET_TEST_DATA "/edgetpu-traces/") + GetParam(); }
};

TEST_P(RealTraces, ArePredictedFromTheirLeastLoadedRun) {
  const auto outcome = RunReplay({.file = path()});
  ASSERT_EQ(outcome.code, kExitOk) << outcome.text;
  const json report = json::parse(outcome.text), totals = report["totals"];
  EXPECT_EQ(report["fit"]["run"], "0.1");
  EXPECT_LT(totals["trace_driven"]["mean_err"], 0.015);
  EXPECT_LT(totals["trace_driven"]["p95_err"], 0.03);
  EXPECT_LT(totals["trace_driven"]["p99_err"], 0.05);
  EXPECT_LT(totals["analytic"]["mean_err"], 0.035);
  EXPECT_GT(totals["paper"]["mean_err"], 0);
  EXPECT_GT(totals["noise_floor"]["mean_err"], 0.01);
  for (const auto& row : report["runs"]) {
    EXPECT_GT(row["requests"], 0);
    for (const char* key : {"observed", "trace_driven", "analytic"})
      EXPECT_TRUE(row[key]["p99_ms"].is_number()) << key;
    EXPECT_TRUE(row["paper"]["mean_ms"].is_number());
  }
}

TEST_P(RealTraces, MayBeFittedOnAnotherRun) {
  const auto outcome = RunReplay({.file = path(), .fit_run = "0.3"}, OutputFormat::kTable);
  EXPECT_EQ(outcome.code, kExitOk);
  EXPECT_THAT(outcome.text, HasSubstr("Fitted on run 0.3"));
  std::istringstream lines(outcome.text);
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(DisplayWidth(line), kMaxTableColumns) << line;
  EXPECT_EQ(RunReplay({.file = path(), .fit_run = "7"}).code, kExitError);
}

INSTANTIATE_TEST_SUITE_P(Replay, RealTraces,
                         ::testing::Values("efficientnet-L_inception_v3_inception_v4.csv",
                                           "inception_v3_ssd_mobilenet_v2.csv"),
                         [](const auto& info) { return info.index == 0 ? "Efficientnet" : "Ssd"; });

constexpr auto kHeader = "model,run,end_s,start_s,nominal_rate_rps,note\n";

TEST(ParseTrace, FindsItsColumnsByName) {
  const auto runs = ParseTrace(std::string(kHeader) + "m,low,1.5,1,4,x\r\nn,low,2.5,2,8,\n\nm,high,3,2,16,\n", "t.csv");
  ASSERT_TRUE(runs.ok()) << runs.status().ToString();
  ASSERT_EQ(runs->size(), 2);
  EXPECT_EQ(runs->at(0).models, (std::vector<std::string>{"m", "n"}));
  EXPECT_EQ(runs->at(0).nominal_rps, (std::vector<double>{4, 8}));
  EXPECT_EQ(runs->at(0).requests.at(1).model, 1);
  EXPECT_EQ(runs->at(1).requests.at(0).start_s, 2);
}

TEST(ParseTrace, NamesTheLineThatIsWrong) {
  const auto message = [](const std::string& row) {
    return ParseTrace(std::string(kHeader) + "m,r,1,1,4,\n" + row + "\n", "t.csv").status().ToString();
  };
  EXPECT_THAT(message("m,r,1,2,4,"), HasSubstr("t.csv:3: times must be"));
  EXPECT_THAT(message("m,r,nan,2,4,"), HasSubstr("t.csv:3: a time or rate is not a number"));
  EXPECT_THAT(message("m,r,3,2,0,"), HasSubstr("the rate must be"));
  EXPECT_THAT(message("m,r,3,2,5,"), HasSubstr("another nominal rate"));
  EXPECT_THAT(message("m,r,3"), HasSubstr("3 cells, the header 6"));
  EXPECT_THAT(ParseTrace("run,model\n", "t.csv").status().ToString(), HasSubstr("no column 'nominal_rate_rps'"));
  EXPECT_FALSE(ParseTrace("", "t.csv").ok());
  EXPECT_FALSE(ParseTrace(kHeader, "t.csv").ok());
  EXPECT_EQ(RunReplay({.file = "/nonexistent.csv"}).code, kExitError);
}

} // namespace
} // namespace avocet

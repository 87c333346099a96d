#include "cli/load/load_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using ::testing::HasSubstr;

Result<LoadTrace> Parse(const std::string& text) {
  return ParseLoadTrace(text, "t.csv");
}

std::vector<std::pair<double, size_t>> Requests(const LoadTrace& trace) {
  std::vector<std::pair<double, size_t>> requests;
  for (const ScheduledRequest& request : trace.requests)
    requests.emplace_back(ToSeconds(request.at), request.target);
  return requests;
}

using Pairs = std::vector<std::pair<double, size_t>>;

TEST(LoadTrace, ReadsArrivalsOfApplicationsInOrderOfTime) {
  const auto trace = Parse("application,size,arrival_s\r\ncam,7,1.5\r\ngate,7,0.25\r\n\r\ncam,7,0.5");
  ASSERT_TRUE(trace.ok()) << trace.status().message();
  EXPECT_EQ(trace->apps, (std::vector{AppId("cam"), AppId("gate")}));
  EXPECT_EQ(Requests(*trace), (Pairs{{0.25, 1}, {0.5, 0}, {1.5, 0}}));
}

TEST(LoadTrace, MayNameNoApplication) {
  const auto trace = Parse("arrival_s\n0\n0.5\n");
  ASSERT_TRUE(trace.ok()) << trace.status().message();
  EXPECT_TRUE(trace->apps.empty());
  const auto one = SelectApps(*trace, {AppId("cam")});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->apps, std::vector{AppId("cam")});
  EXPECT_EQ(Requests(*one), (Pairs{{0, 0}, {0.5, 0}}));
  EXPECT_FALSE(SelectApps(*trace, {}).ok());
  EXPECT_FALSE(SelectApps(*trace, {AppId("a"), AppId("b")}).ok());
}

TEST(LoadTrace, AChoiceKeepsItsRequestsOnly) {
  const auto trace = Parse("arrival_s,application\n0,a\n1,b\n2,c\n3,b\n");
  ASSERT_TRUE(trace.ok());
  const auto chosen = SelectApps(*trace, {AppId("c"), AppId("b")});
  ASSERT_TRUE(chosen.ok());
  EXPECT_EQ(Requests(*chosen), (Pairs{{1, 1}, {2, 0}, {3, 1}}));
  EXPECT_EQ(Requests(*SelectApps(*trace, {})), Requests(*trace));
  EXPECT_THAT(SelectApps(*trace, {AppId("a"), AppId("d")}).status().message(), HasSubstr("'d'"));
}

TEST(LoadTrace, ProblemsHaveAPlace) {
  const auto problem = [](const std::string& text) { return Parse(text).status().message(); };
  EXPECT_EQ(problem("time\n1\n"), "t.csv:1: has no column 'arrival_s'");
  EXPECT_EQ(problem("arrival_s\n"), "t.csv:1: there is no request");
  EXPECT_EQ(problem("arrival_s\n1\nx\n"), "t.csv:3: arrival_s must be a number from 0 to 10000000");
  EXPECT_EQ(problem("arrival_s\n-1\n"), "t.csv:2: arrival_s must be a number from 0 to 10000000");
  EXPECT_EQ(problem("arrival_s,application\n1\n"), "t.csv:2: has 1 cells, the header 2");
  EXPECT_EQ(problem("arrival_s,application\n1,no name\n"), "t.csv:2: its application is no name");
}

TEST(LoadTrace, ApplicationsAreBounded) {
  std::string text = "arrival_s,application\n";
  for (size_t i = 0; i < kMaxLoadTargets; ++i)
    text += "0,a" + std::to_string(i) + "\n";
  EXPECT_TRUE(Parse(text).ok());
  EXPECT_THAT(Parse(text + "0,b\n").status().message(), HasSubstr("one application more than 64"));
}

} // namespace
} // namespace avocet

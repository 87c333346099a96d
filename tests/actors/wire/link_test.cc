// Agents and a controller over a real connection, in one process: AgentLink -> gRPC -> LinkService -> the actors.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/actors/wire/link_fixture.h"

namespace avocet {
namespace {

TEST_F(LinkTest, ProfilesAdmitsAndStartsOnARemoteAgent) {
  TestAgent agent(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  Import();
  const auto decision = Ask<Decision>(ApplyApp{MakeApp("cam", "pose")});
  ASSERT_TRUE(decision.ok()) << decision.status().ToString();
  EXPECT_EQ(decision->kind, DecisionKind::kAdmit) << "its profile came over the link";
  EXPECT_TRUE(BecomesReady("cam"));
  EXPECT_EQ(agent.started, 1);
}

TEST_F(LinkTest, FetchesModelFilesFromAnyOffset) {
  const Sha256 file = Import();
  TestAgent agent(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  const auto ask = [&](uint64_t offset) {
    return AskAndWait<ModelChunk>(system, agent.link().controller(), FetchModel{file, offset}, kPatience, "link");
  };
  EXPECT_EQ(ask(2)->data, EmulatedText("pose").substr(2));
  EXPECT_EQ(ask(EmulatedText("pose").size())->data, "");
  const auto unknown =
      AskAndWait<ModelChunk>(system, agent.link().controller(), FetchModel{Sha256Of("another"), 0}, kPatience, "link");
  EXPECT_EQ(unknown.status().code(), StatusCode::kNotFound) << unknown.status().ToString();
}

TEST_F(LinkTest, AgentsComeBackAfterARestartOfTheController) {
  TestAgent first(system, "n1", process->address()), second(system, "n2", process->address());
  ASSERT_TRUE(BecomesHealthy("n1") && BecomesHealthy("n2"));
  Import();
  ASSERT_TRUE(Ask<Decision>(ApplyApp{MakeApp("cam", "pose")}).ok());
  ASSERT_TRUE(BecomesReady("cam"));
  const std::string address = process->address();
  process.reset();
  StartController(address);
  EXPECT_TRUE(BecomesHealthy("n1") && BecomesHealthy("n2"));
  EXPECT_TRUE(BecomesReady("cam"));
  EXPECT_EQ(first.started + second.started, 1) << "nothing was started again";
}

TEST_F(LinkTest, ALaterSessionReplacesTheEarlierOne) {
  auto first = std::make_unique<TestAgent>(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  TestAgent second(system, "n1", process->address());
  Import();
  ASSERT_TRUE(Eventually([&] { return Ask<ProfileList>(ProfileModel{"pose", {}}).ok(); }, kPatience));
  first.reset();
  ASSERT_TRUE(Eventually(
      [&] {
        return Health("n1") == "healthy" && Ask<ProfileList>(ProfileModel{"pose", {}}).ok();
      },
      kPatience));
}

TEST_F(LinkTest, AnAgentThatStopsIsAwayBecauseItSaidSo) {
  auto agent = std::make_unique<TestAgent>(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  agent.reset();
  EXPECT_TRUE(Eventually([&] { return Health("n1") == "away"; }, kPatience));
  const auto said = [&] {
    const auto texts = EventTexts();
    return std::find(texts.begin(), texts.end(), "its agent was stopped") != texts.end();
  };
  EXPECT_TRUE(Eventually(said, kPatience)) << "events are listed once they are durable";
}

TEST_F(LinkTest, StopsWithAgentsConnected) {
  TestAgent agent(system, "n1", process->address());
  ASSERT_TRUE(BecomesHealthy("n1"));
  process.reset(); // waits for the sessions, each with a deadline
}

TEST_F(LinkTest, AConnectionThatGrewOldIsReplacedAndItsNodeStays) {
  process.reset();
  ControllerProcessOptions options{.data_dir = dir.path()};
  options.control.address = "127.0.0.1:0";
  options.control.max_age = options.control.max_age_grace = std::chrono::milliseconds(200);
  options.controller.lease = kPatience; // on a busy machine coming back may take a while
  auto started = ControllerProcess::Start(system, options);
  ASSERT_TRUE(started.ok()) << started.status().ToString();
  process = std::move(*started);
  const auto events = [&](const std::string& kind) {
    const auto list = Ask<EventList>(ListEvents{});
    return std::count_if(list->events.begin(), list->events.end(), [&](const Event& e) { return e.kind == kind; });
  };
  TestAgent agent(system, "n1", process->address());
  EXPECT_TRUE(Eventually([&] { return events("node_up") >= 3; }, kPatience));
  EXPECT_EQ(events("node_away"), 0);
  EXPECT_EQ(Health("n1"), "healthy");
}

} // namespace
} // namespace avocet

#include "actors/protocol/command_refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const NodeId kNode("n1"), kOther("n2");
const MonotonicTime kStart{std::chrono::hours(1)};

Command Of(const std::string& app) {
  return {.kind = CommandKind::kStop, .epoch = 1, .device = DeviceId("n1/gpu0"), .app = AppId(app)};
}

TEST(CommandRefusals, OneRegistrationAnswersForAllRefusalsUntilThen) {
  CommandRefusals refusals;
  const auto first = refusals.Refused(kNode, Of("cam"), kStart);
  ASSERT_TRUE(first.pause.has_value());
  EXPECT_LE(*first.pause, seconds(1));
  EXPECT_FALSE(refusals.Refused(kNode, Of("door"), kStart).pause.has_value());
  EXPECT_THAT(refusals.TakeDue(kStart), IsEmpty());
  EXPECT_THAT(refusals.TakeDue(kStart + *first.pause), ElementsAre(kNode));
  EXPECT_THAT(refusals.TakeDue(kStart + seconds(100)), IsEmpty()) << "each is named once";
}

TEST(CommandRefusals, PausesGrowWhileTheAgentGoesOnRefusingAndAreBounded) {
  CommandRefusals refusals;
  MonotonicTime now = kStart;
  Duration longest{};
  for (int i = 0; i < 20; ++i) {
    const auto refusal = refusals.Refused(kNode, Of("cam"), now);
    longest = std::max(longest, *refusal.pause);
    now += *refusal.pause;
    ASSERT_THAT(refusals.TakeDue(now), ElementsAre(kNode));
    const std::vector<Command> again{Of("cam")};
    refusals.Registered(kNode, again);
  }
  EXPECT_GT(longest, seconds(15));
  EXPECT_LE(longest, seconds(30));

  // Taken at last: the next refusal is a new story.
  EXPECT_TRUE(refusals.Taken(kNode, Of("cam")));
  EXPECT_LE(*refusals.Refused(kNode, Of("cam"), now).pause, seconds(1));
}

TEST(CommandRefusals, ToldOnceForEachApplicationUntilACommandOfItIsTaken) {
  CommandRefusals refusals;
  EXPECT_TRUE(refusals.Refused(kNode, Of("cam"), kStart).first);
  EXPECT_FALSE(refusals.Refused(kNode, Of("cam"), kStart).first);
  EXPECT_TRUE(refusals.Refused(kNode, Of("door"), kStart).first);
  EXPECT_TRUE(refusals.Refused(kOther, Of("cam"), kStart).first);
  EXPECT_TRUE(refusals.Taken(kNode, Of("cam")));
  EXPECT_FALSE(refusals.Taken(kNode, Of("cam"))) << "it was not refused since";
  EXPECT_TRUE(refusals.Refused(kNode, Of("cam"), kStart).first);
}

TEST(CommandRefusals, ARegistrationSettlesWhatIsNotWantedAnyMore) {
  CommandRefusals refusals;
  (void)refusals.Refused(kNode, Of("cam"), kStart);
  (void)refusals.Refused(kNode, Of("door"), kStart);
  const std::vector<Command> commands{Of("door")};
  refusals.Registered(kNode, commands);
  EXPECT_THAT(refusals.TakeDue(kStart + seconds(100)), IsEmpty()) << "it has registered";
  EXPECT_FALSE(refusals.Taken(kNode, Of("cam")));
  EXPECT_TRUE(refusals.Taken(kNode, Of("door")));
}

TEST(CommandRefusals, ARegistrationMayBeAskedForWithoutARefusal) {
  CommandRefusals refusals;
  EXPECT_TRUE(refusals.RegisterLater(kNode, kStart).has_value());
  EXPECT_FALSE(refusals.RegisterLater(kNode, kStart).has_value());
  EXPECT_THAT(refusals.TakeDue(kStart + seconds(1)), ElementsAre(kNode));
  refusals.Registered(kNode, {});
  EXPECT_FALSE(refusals.Taken(kNode, Of("cam")));
}

TEST(CommandRefusals, ANodeThatIsAwayRegistersAnyway) {
  CommandRefusals refusals;
  (void)refusals.Refused(kNode, Of("cam"), kStart);
  refusals.Away(kNode);
  EXPECT_THAT(refusals.TakeDue(kStart + seconds(100)), IsEmpty());
}

TEST(CommandRefusals, TellsOfABoundedNumberOfApplications) {
  CommandRefusals refusals({.max_apps_per_node = 2});
  EXPECT_TRUE(refusals.Refused(kNode, Of("a"), kStart).first);
  EXPECT_TRUE(refusals.Refused(kNode, Of("b"), kStart).first);
  EXPECT_FALSE(refusals.Refused(kNode, Of("c"), kStart).first);
  EXPECT_THAT(refusals.TakeDue(kStart + seconds(1)), ElementsAre(kNode)) << "and is reconciled like the others";
}

} // namespace
} // namespace avocet

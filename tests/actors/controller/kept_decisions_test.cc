// Which decisions the placement actor keeps on disk, over restarts, and what is read of those that an earlier version
// kept.
#include "tests/actors/controller/placement_actor_fixture.h"

#include "controller/placement/decide.h"
#include "controller/placement/kept_decision.h"

namespace avocet {
namespace {

class KeptDecisionsTest : public PlacementActorTest {
protected:
  /// Applications that no device can take are refused.
  void Refuse(const std::string& name, size_t count) {
    for (size_t i = 0; i < count; ++i)
      ASSERT_EQ(Apply(name + std::to_string(i), 1000)->kind, DecisionKind::kReject);
  }

  size_t CountOnDisk() const { return LoadAll(control->memory, kDecisions)->size(); }
  StatusCode Explain(const std::string& app) {
    return Ask<Decision>(snapshots, ExplainApp{AppId(app)}).status().code();
  }
};

TEST_F(KeptDecisionsTest, OfWhatRunsAndOfTheLatestThatDoNot) {
  ReadyForApps();
  ASSERT_TRUE(Apply("runs").ok());
  ASSERT_TRUE(Apply("removed").ok());
  ASSERT_TRUE(Ask<RemovedApp>(placement, RemoveApp{AppId("removed")}).ok());
  EXPECT_EQ(Explain("removed"), StatusCode::kOk) << "it is history, but recent";

  Refuse("refused-", kMaxPastDecisions);
  EXPECT_EQ(Explain("runs"), StatusCode::kOk);
  EXPECT_EQ(Explain("removed"), StatusCode::kNotFound);
  EXPECT_EQ(Explain("refused-0"), StatusCode::kOk);
  EXPECT_EQ(CountOnDisk(), kMaxPastDecisions + 1);

  // The order is known over a restart.
  Restart();
  ASSERT_TRUE(BringUp().ok());
  Refuse("later-", 1);
  EXPECT_EQ(Explain("refused-0"), StatusCode::kNotFound);
  EXPECT_EQ(Explain("refused-1"), StatusCode::kOk);
  EXPECT_EQ(Explain("runs"), StatusCode::kOk);
  EXPECT_EQ(CountOnDisk(), kMaxPastDecisions + 1);
}

TEST_F(KeptDecisionsTest, OneWhoseRemovalTheDiskRefusedRunsOn) {
  ReadyForApps();
  ASSERT_TRUE(Apply("runs").ok());
  control->fail = true;
  EXPECT_FALSE(Ask<RemovedApp>(placement, RemoveApp{AppId("runs")}).ok());
  control->fail = false;
  Refuse("refused-", kMaxPastDecisions + 1);
  EXPECT_EQ(Explain("runs"), StatusCode::kOk);
}

TEST_F(KeptDecisionsTest, ARefusedChangeOfWhatRunsIsItsDecision) {
  ReadyForApps();
  ASSERT_TRUE(Apply("runs").ok());
  ASSERT_EQ(Apply("runs", 1000)->kind, DecisionKind::kReject);
  Refuse("refused-", kMaxPastDecisions);
  EXPECT_EQ(Ask<Decision>(snapshots, ExplainApp{AppId("runs")})->kind, DecisionKind::kReject);
}

/// On five devices with ten applications each, as an earlier version kept it: with every latency on every device.
Decision WordyDecision(size_t number) {
  ViewBuilder builder;
  builder.Model("pose:1");
  for (const std::string device : {"n1/gpu0", "n2/gpu0", "n3/gpu0", "n4/gpu0", "n5/gpu0"}) {
    builder.Device(device);
    for (int i = 0; i < 10; ++i)
      builder.Resident(MakeApp(device.substr(0, 2) + "-" + std::to_string(i), "pose"), device);
  }
  Decision decision = Decide(builder.Build(), MakeApp("old-" + std::to_string(number), "pose"), {});
  decision.decided_at = WallTime(std::chrono::seconds(1000 + number));
  return decision;
}

TEST_F(KeptDecisionsTest, CutsWhatAnEarlierVersionKept) {
  WriteBatch batch;
  for (size_t i = 0; i < kMaxPastDecisions + 10; ++i)
    Put(batch, kDecisions, WordyDecision(i));
  ASSERT_TRUE(control->memory.Write(batch, Sync::kYes).ok());

  Restart();
  EXPECT_EQ(CountOnDisk(), kMaxPastDecisions);
  EXPECT_EQ(Explain("old-9"), StatusCode::kNotFound);
  EXPECT_EQ(*Ask<Decision>(snapshots, ExplainApp{AppId("old-10")}), KeptDecision(WordyDecision(10)));
  EXPECT_NE(KeptDecision(WordyDecision(10)), WordyDecision(10));
}

TEST_F(KeptDecisionsTest, StartsWhereTheDiskDoesNotTakeTheCut) {
  WriteBatch batch;
  Put(batch, kDecisions, WordyDecision(1));
  ASSERT_TRUE(control->memory.Write(batch, Sync::kYes).ok());
  FaultyStore store(control);
  control->fail = true;
  EXPECT_TRUE(LoadControllerRecords(store).ok());
}

} // namespace
} // namespace avocet

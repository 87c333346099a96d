#include "node_agent/epoch_gate.h"

#include <string>

#include <gtest/gtest.h>

namespace avocet {
namespace {

const DeviceId kA("n/a"), kB("n/b");

Command Start(uint64_t epoch, const DeviceId& device = kA, const std::string& app = "cam") {
  return {.kind = CommandKind::kStart, .epoch = epoch, .device = device, .app = AppId(app)};
}

Command Stop(uint64_t epoch, const DeviceId& device = kA, const std::string& app = "cam") {
  Command command = Start(epoch, device, app);
  command.kind = CommandKind::kStop;
  return command;
}

TEST(EpochGate, ALaterStartOvertakesAnEarlierOneOnAnyDevice) {
  EpochGate gate;
  gate.Announce(Start(5));
  EXPECT_FALSE(gate.IsPast(Start(5)));
  gate.Announce(Start(7, kB));
  EXPECT_TRUE(gate.IsPast(Start(5)));
  EXPECT_FALSE(gate.IsPast(Start(7, kB)));
  EXPECT_EQ(gate.LatestStart(AppId("cam")), 7U);
}

TEST(EpochGate, AnEarlierStartChangesNothing) {
  EpochGate gate;
  gate.Announce(Start(7, kB));
  gate.Announce(Start(5));
  EXPECT_FALSE(gate.IsPast(Start(7, kB)));
}

TEST(EpochGate, AStopCoversItsDeviceUpToItsEpoch) {
  EpochGate gate;
  gate.Announce(Stop(6));
  EXPECT_TRUE(gate.IsPast(Start(6)));
  EXPECT_FALSE(gate.IsPast(Start(7)));
  EXPECT_FALSE(gate.IsPast(Start(6, kB)));
  gate.Announce(Stop(3));
  EXPECT_TRUE(gate.IsPast(Start(6))) << "an earlier stop takes nothing back";
}

TEST(EpochGate, AStopOfAnOldCopyLeavesTheLatestStart) {
  EpochGate gate;
  gate.Announce(Start(5));
  gate.Announce(Start(7));
  gate.Announce(Stop(5));
  EXPECT_FALSE(gate.IsPast(Start(7)));
}

TEST(EpochGate, ApplicationsHaveNothingToDoWithEachOther) {
  EpochGate gate;
  gate.Announce(Start(9));
  EXPECT_FALSE(gate.IsPast(Start(1, kA, "door")));
}

TEST(EpochGate, ForgetsWhatEndedFirstAndKeepsItsStartsPast) {
  EpochGate gate(2);
  gate.Announce(Start(1, kA, "runs"));
  for (uint64_t i = 0; i < 3; ++i) {
    gate.Announce(Start(10 + i, kA, "ended" + std::to_string(i)));
    gate.Announce(Stop(10 + i, kA, "ended" + std::to_string(i)));
  }
  EXPECT_EQ(gate.LatestStart(AppId("ended0")), 0U) << "forgotten";
  EXPECT_TRUE(gate.IsPast(Start(10, kA, "ended0")));
  EXPECT_TRUE(gate.IsPast(Start(12, kA, "ended2")));
  EXPECT_FALSE(gate.IsPast(Start(1, kA, "runs"))) << "what runs is never forgotten";
  EXPECT_FALSE(gate.IsPast(Start(13, kA, "ended0")));
}

TEST(EpochGate, KeepsExactlySoManyThatEnded) {
  EpochGate gate(1);
  gate.Announce(Stop(5, kA, "first"));
  EXPECT_TRUE(gate.IsPast(Start(5, kA, "first")));
  EXPECT_FALSE(gate.IsPast(Start(5, kB, "first"))) << "it is known of which device";
  gate.Announce(Stop(6, kA, "second"));
  EXPECT_TRUE(gate.IsPast(Start(5, kB, "first"))) << "forgotten: all up to its epoch is past";
}

} // namespace
} // namespace avocet

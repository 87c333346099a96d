// What serves in the end is what was decided, whatever the order of messages and whatever fails on the way.
#include "tests/actors/protocol/placement_protocol_simulation.h"

namespace avocet::placement_protocol {
namespace {

void RunAtRandom(const Faults& faults) {
  for (uint64_t seed = 0; seed < 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomChooser chooser(seed);
    Cluster cluster(chooser, faults);
    for (size_t i = 0; i < 60; ++i) {
      const size_t what = chooser.Choose(16);
      if (what < 3) cluster.Place(std::vector<std::string>{"n1/a", "n1/b", "n2/a", "n2/b"}[chooser.Choose(4)]);
      if (what == 3) cluster.Remove();
      cluster.MayFail();
      (void)cluster.Step();
    }
    cluster.Settle();
    cluster.ExpectTruth();
  }
}

TEST(PlacementProtocol, WhatServesIsWhatWasDecided) {
  RunAtRandom({});
}
TEST(PlacementProtocol, WhenStartsFail) {
  RunAtRandom({.starts = true});
}
TEST(PlacementProtocol, WhenEitherEndRestarts) {
  RunAtRandom({.restarts = true});
}
TEST(PlacementProtocol, WhenTheNetworkLosesDoublesAndReorders) {
  RunAtRandom({.network = true});
}
TEST(PlacementProtocol, WhenAgentsRefuseForAWhile) {
  RunAtRandom({.disk = true});
}
TEST(PlacementProtocol, WhenAgentsRefuseAndRestart) {
  RunAtRandom({.starts = true, .restarts = true, .disk = true});
}
TEST(PlacementProtocol, WhenEverythingFails) {
  RunAtRandom({.network = true, .starts = true, .restarts = true, .disk = true});
}

/// Every order in which commands arrive, starts and stops end, and reports arrive.
void RunInEveryOrder(const std::vector<std::string>& script) {
  EveryChoice chooser;
  size_t runs = 0;
  do {
    Cluster cluster(chooser, {});
    for (const auto& device : script) {
      if (device.empty())
        cluster.Remove();
      else
        cluster.Place(device);
      while (chooser.Choose(2) == 1 && cluster.Step()) {
      }
    }
    cluster.Settle();
    cluster.ExpectTruth();
    ASSERT_LT(++runs, 300'000U) << "too many orders for a small case";
  } while (!testing::Test::HasFailure() && chooser.Next());
}

TEST(PlacementProtocol, EveryOrderOfAMoveWithinANode) {
  RunInEveryOrder({"n1/a", "n1/b"});
}
TEST(PlacementProtocol, EveryOrderOfAMoveToAnotherNode) {
  RunInEveryOrder({"n1/a", "n2/a"});
}
TEST(PlacementProtocol, EveryOrderOfARemoval) {
  RunInEveryOrder({"n1/a", ""});
}
TEST(PlacementProtocol, EveryOrderOfAReplacementOnOneDevice) {
  RunInEveryOrder({"n1/a", "n1/a", "n1/a"});
}

} // namespace
} // namespace avocet::placement_protocol

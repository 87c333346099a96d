#pragma once

#include <string>
#include <utility>
#include <vector>

#include "controller/placement/decide.h"
#include "controller/planning/placement_run.h"
#include "tests/support/view_builder.h"

namespace avocet {

/// Two fifo devices on two nodes; applications of 10 requests/s and 10 ms each, mean objective 20 ms: with Poisson
/// arrivals 6 of them are fine on a device (12.5 ms), 9 are too many (55 ms).
inline ClusterView TwoNodes() {
  return ViewBuilder()
      .Device("n/d", {.discipline = Discipline::kFifo})
      .Device("o/d", {.discipline = Discipline::kFifo})
      .Model("m:1", {.service_ms = 10})
      .Build();
}

inline Application App(int number) {
  return MakeApp("a" + std::to_string(number), "m", {.rate_rps = 10, .latency_ms = 20});
}

/// What no filter is asked about.
inline Decision Admit(int number, const std::string& device, std::vector<Move> moves = {}) {
  Decision decision;
  decision.kind = moves.empty() ? DecisionKind::kAdmit : DecisionKind::kAdmitWithMoves;
  decision.app = App(number);
  decision.device = DeviceId(device);
  decision.model = ModelId("m:1");
  decision.moves = std::move(moves);
  return decision;
}

/// Steps 0 .. count - 1 go to one device.
inline PlacementRun Filled(int count) {
  PlacementRun run(TwoNodes());
  for (int i = 0; i < count; ++i)
    run.Take(Admit(i, "n/d"));
  return run;
}

} // namespace avocet

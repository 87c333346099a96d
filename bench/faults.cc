// Runs seeded random schedules of faults against real processes and checks what is promised afterwards: one line for
// each schedule, and a JSON document of all at the end. Exit code 1 when a promise was broken.
//   faults [FIRST_SEED [SCHEDULES]]
#include <cstdlib>
#include <iostream>

#include "tests/cluster/fault_schedule.h"

int main(int argc, char** argv) {
  const uint64_t first = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20;

  avocet::FaultyCluster cluster;
  nlohmann::json verdicts = nlohmann::json::array();
  bool ok = true;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const auto verdict = cluster.Run(seed);
    std::cout << verdict << std::endl;
    verdicts.push_back(ToJson(verdict));
    ok = ok && verdict.ok();
  }

  std::cout << nlohmann::json{{"ok", ok}, {"schedules", verdicts}}.dump(2) << std::endl;
  return ok ? 0 : 1;
}

#pragma once

#include <cstdint>
#include <filesystem>

#include "cli/context.h"
#include "messages/application.h"
#include "messages/policy.h"

namespace avocet {

// Commands that ask no controller: they place on clusters that are described in a file. See commands.h.

struct SimulateOptions {
  std::filesystem::path file; ///< a placement instance, JSON
  Statistic statistic = Statistic::kP95;
  PlacementOptions placement; ///< otherwise than Policy's defaults
  uint64_t seed = 1;
  int jobs = 0; ///< threads; 0: as many as processors
};
int SimulateCommand(const Context& context, const SimulateOptions& options);

int CapacityCommand(const Context& context, const std::filesystem::path& file);

} // namespace avocet

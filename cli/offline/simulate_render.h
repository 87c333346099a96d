#pragma once

#include <string>

#include "cli/offline/simulate.h"
#include "cli/render/render.h"

namespace avocet {

/// What was asked, beside the answer.
struct SimulateTitle {
  std::string instance;
  std::string policy;
  Statistic statistic = Statistic::kP95;
  uint64_t seed = 1;
};

std::string Render(const SimulateTitle& title, const SimulateReport& report, const RenderOptions& options);

} // namespace avocet

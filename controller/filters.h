#pragma once

#include <span>
#include <string>
#include <string_view>

#include "controller/candidate.h"

namespace avocet {

/// Why a filter says no: what it needed and what it found, in `unit`.
struct Refusal {
  double needed = 0;
  double found = 0;
  std::string unit;
  std::string detail; ///< one sentence, with ids and the next step
};

/// One rule of admission. Pure.
struct Filter {
  std::string_view name;
  bool depends_on_rate = false; ///< false: no other rate of the newcomer would change the answer
  bool (*passes)(const Candidate& candidate);
  Refusal (*explain)(const Candidate& candidate); ///< requires that passes() said no
};

/// All rules, in the order in which they are asked; the first refusal counts.
///   healthy      the device is healthy                     state: 1 needed, 1/2/3 (healthy/away/draining) found
///   kind         the application allows this kind          kinds: 1 match needed, 0 found
///   format       the model is imported in the engine's format   files: 1 needed, 0 found
///   profile      the model was measured on this type of device  profiles: 1 needed, 0 found
///   memory       the model fits beside those that are loaded    MiB: what it needs, what is free
///   utilization  the device, and pre-processing on the node's cores, stay below their bounds
///                                                          ratio / cores ratio: the bound, the value
///   objectives   of the residents, the newcomer, and of the node's other applications with
///                pre-processing if the newcomer has some   ms: the limit, the worst prediction
std::span<const Filter> Filters();

} // namespace avocet

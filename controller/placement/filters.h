#pragma once

#include <array>
#include <span>
#include <string>

#include "controller/placement/candidate.h"

namespace avocet {

/// Why a filter says no: what it needed and what it found, in `unit`.
struct Refusal {
  double needed = 0;
  double found = 0;
  Unit unit = Unit::kNone;
  std::string detail; ///< one sentence, with ids and the next step
};

/// Whose rules are asked: ours keep every objective; the others are published baselines.
enum class Rules { kOurs, kPaper, kMemory, kUtilization };
Rules RulesOf(PlacementPolicy policy);

/// Bound of the baselines on utilization, memory and front ends.
inline constexpr double kBaselineBound = 0.8;

/// One rule of admission. Pure.
struct Filter {
  FilterKind kind;
  std::array<bool, 4> asked_by; ///< by Rules
  bool depends_on_rate = false; ///< false: no other rate of the newcomer would change the answer
  bool (*passes)(const Candidate& candidate);
  Refusal (*explain)(const Candidate& candidate); ///< requires that passes() said no
};

/// All rules, in the order in which they are asked; the first refusal counts. A policy asks those that are
/// asked_by its Rules: ours and the baselines share all but `objectives`, which is ours, and the paper's own two.
/// Baselines bound memory and utilization by kBaselineBound.
///   healthy      the device is healthy                     state: 1 needed, 1/2/3 (healthy/away/draining) found
///   kind         the application allows this kind          kinds: 1 match needed, 0 found
///   format       the model is imported in the engine's format   files: 1 needed, 0 found
///   profile      the model was measured on this type of device  profiles: 1 needed, 0 found
///   memory       the model fits beside those that are loaded    MiB: what it needs, what is free
///   utilization  the device, and pre-processing on the node's cores, stay below their bounds
///                                                          ratio / cores ratio: the bound, the value
///   objectives   of the residents, the newcomer, and of the node's other applications with
///                pre-processing if the newcomer has some   ms: the limit, the worst prediction
///   paper_rate   the newcomer's pre-processing keeps one core below its bound; no model gets more requests than
///                its front end answers one by one          ratio: the bound, the value
///   paper_objectives  the paper's mean response time is below every objective    ms: the limit, the mean
std::span<const Filter> Filters();

bool IsAsked(const Filter& filter, const Policy& policy);

} // namespace avocet

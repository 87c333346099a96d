#pragma once

#include "controller/placement/candidate.h"
#include "messages/placement.h"

namespace avocet {

/// What all filters say of the newcomer on one device, as it is assessed now; the largest rate is not sought.
Verdict VerdictOf(const Candidate& candidate);

/// Whether another rate could pass.
bool PassesAtAnyRate(const Candidate& candidate);

/// The largest rate of the newcomer that passes, by bisection with the same filters, to 0.5 % below; 0 where 0.001 rps
/// is too much. At least the rate asked for where `passes_now`. Leaves the candidate at another rate.
double LargestRate(Candidate& candidate, bool passes_now);

/// `rate_rps` or, where a simulation contradicts it, the largest one below it that the simulation confirms, in
/// steps of 10 %; 0 where that takes too many.
double LargestSimulatedRate(Candidate& candidate, double rate_rps);

} // namespace avocet

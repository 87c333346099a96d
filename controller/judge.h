#pragma once

#include <optional>

#include "controller/candidate.h"
#include "messages/placement.h"

namespace avocet {

/// What all filters say of the newcomer on one device, by the fast models; see Decide.
Verdict Judge(const Question& question, const DeviceView& device);

/// The verdict again, with a simulation where a limit is too near for the fast models; nullopt where it
/// is sure as it is. Its largest rate is at least the rate asked for if it says yes, less if it says no.
std::optional<Verdict> Reconsider(const Question& question, const DeviceView& device, const Verdict& fast);

/// The verdict's largest rate or, where a simulation contradicts it, the largest one below it that the
/// simulation confirms, in steps of 10 %; 0 where that takes too many.
double ConfirmedRate(const Question& question, const DeviceView& device, const Verdict& verdict);

} // namespace avocet

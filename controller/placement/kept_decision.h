#pragma once

#include <cstddef>

#include "messages/placement.h"

namespace avocet {

/// Bounds of what is kept of a decision.
inline constexpr size_t kKeptVerdicts = 64; ///< devices
inline constexpr size_t kKeptDetails = 8;   ///< devices with a sentence
inline constexpr size_t kKeptTables = 3;    ///< devices of a refusal with the latencies of their applications

/// What is kept of a decision: enough to explain it, in a few kilobytes however many devices and applications there
/// are. Of the chosen device everything; of the others, those first that could take the largest rate: which filter said
/// no, what it needed and found, loads and memory of kKeptVerdicts, and of the first few more (see above). Whoever
/// asked for the decision gets it as a whole; this is for the record. Again applied it changes nothing. What it makes
/// of a valid decision is valid. Pure.
Decision KeptDecision(Decision decision);

} // namespace avocet

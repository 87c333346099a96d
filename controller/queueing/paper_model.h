#pragma once

#include <vector>

#include "controller/queueing/latency_model.h"

namespace avocet {

/// Mean response times by the formulas of the paper that this system follows; a baseline to compare
/// with, never used for a decision.
///
/// Source: the Ibis placement paper and its code (umassos/ibis, 2023). kFifo: switches enter as
/// st_i = s_i + (1 - p_i) o_i and the wait is that of M/G/1 with constant services st_i; on average 2 % low, at
/// worst 20 %. Sharing: s_i + E[S] rho / (1 - rho), right only on average over the classes; 18 % off at
/// utilization 0.3, 50 % at 0.9. Service times count as constants, applications that share a model as one
/// class. Seconds, in the order of the load; empty without a steady state, and for kMultiServer.
std::vector<double> PaperMeans(const DeviceLoad& load);

} // namespace avocet

#include "controller/queueing/preprocessing.h"

#include <algorithm>
#include <cmath>

#include "controller/queueing/latency_model.h"
#include "controller/queueing/multi_server_model.h"

namespace avocet {

std::optional<PreprocessingTime> Preprocessing::TimeOf(double work_s) const {
  if (work_s == 0) return PreprocessingTime{};
  if (!(share() < kStableUtilization)) return std::nullopt;
  const double alone = work_s / speed, mean = alone * MultiServerSharingFactor(cores, busy / speed);
  // A delay of mean d / C with probability C, exponential: second moment 2 d^2 / C.
  const double delay = mean - alone, waits = ErlangC(cores, busy / speed);
  const double variance = waits > 0 ? delay * delay * (2 / waits - 1) : 0;
  return PreprocessingTime{mean, std::sqrt(std::max(variance, 0.0))};
}

} // namespace avocet

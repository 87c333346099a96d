#include "controller/queueing/headroom.h"

#include "messages/invariant.h"

namespace avocet {
namespace {

constexpr double kTolerance = 1e-3;  // relative, of the factor
constexpr double kLeastShare = 1e-5; // of the saturating factor; a device that cannot take this takes nothing
constexpr int kMaxSteps = 40;

DeviceLoad Scaled(const DeviceLoad& load, double factor) {
  DeviceLoad scaled = load;
  for (auto& app : scaled.apps)
    app.rate_rps *= factor;
  return scaled;
}

bool IsUnsure(const DeviceResponse& response, const ResponseGoals& goals) {
  for (size_t i = 0; i < response.apps.size(); ++i) {
    if (goals[i] && response.IsUnsure(i, goals[i]->statistic, goals[i]->limit_s)) return true;
  }
  return false;
}

} // namespace

bool MeetsAll(const DeviceLoad& load, const ResponseGoals& goals, int simulated_requests) {
  DeviceResponse response = Solve(load);
  if (!response.stable) return false;
  if (simulated_requests > 0 && IsUnsure(response, goals)) Refine(load, response, simulated_requests);
  return response.MeetsAll(goals);
}

// Under a common factor the shares of the applications, and so their switches, stay as they are: the
// utilization is linear in the factor and no response gets shorter.
double LargestRateFactor(const DeviceLoad& load, const ResponseGoals& goals, int simulated_requests) {
  AVOCET_CHECK(!load.apps.empty() && goals.size() == load.apps.size());
  double fails = kStableUtilization / Utilization(load), passes = kLeastShare * fails;

  const auto meets = [&](double factor) { return MeetsAll(Scaled(load, factor), goals, simulated_requests); };
  // Both ends first: most loads are far from a limit, or have none below saturation.
  if (!meets(passes)) return 0;
  const double nearly = fails * (1 - kTolerance);
  if (meets(nearly)) return nearly;
  fails = nearly;

  for (int step = 0; step < kMaxSteps && fails - passes > kTolerance * passes; ++step) {
    const double middle = (passes + fails) / 2;
    (meets(middle) ? passes : fails) = middle;
  }

  return passes;
}

} // namespace avocet

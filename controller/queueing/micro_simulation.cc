#include "controller/queueing/micro_simulation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "controller/queueing/stations.h"

namespace avocet {
namespace {

/// Requests that were not disturbed take their service time, but for rounding.
constexpr double kRounding = 1e-9;

class Recorder {
public:
  Recorder(size_t apps, int requests) : responses_(apps), warm_up_(requests / 10), left_(warm_up_ + requests) {}

  bool done() const { return left_ <= 0; }
  void Add(size_t app, double response_s) {
    if (warm_up_-- <= 0) responses_[app].push_back(response_s);
    --left_;
  }
  std::vector<std::vector<double>> Take() { return std::move(responses_); }

private:
  std::vector<std::vector<double>> responses_;
  int warm_up_;
  int left_;
};

} // namespace

double ResponseSample::Mean(size_t app) const {
  const auto& r = responses_[app];
  return r.empty() ? 0 : std::accumulate(r.begin(), r.end(), 0.0) / static_cast<double>(r.size());
}

double ResponseSample::Quantile(size_t app, double p) const {
  auto r = responses_[app];
  if (r.empty()) return 0;
  const double rank = std::clamp(std::ceil(p * static_cast<double>(r.size())), 1.0, static_cast<double>(r.size()));
  const auto at = r.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(r.begin(), at, r.end());
  return *at;
}

double ResponseSample::Cdf(size_t app, double limit_s) const {
  const auto& r = responses_[app];
  const auto within = std::count_if(r.begin(), r.end(), [limit_s](double t) { return t <= limit_s * (1 + kRounding); });
  return r.empty() ? 0 : static_cast<double>(within) / static_cast<double>(r.size());
}

ResponseSample Simulate(const DeviceLoad& load, const SimulationOptions& options) {
  RequestSource source(load.apps, options.seed);
  DeviceStation station(load, {.workers = options.workers, .shared_cores = options.shared_cores});
  Recorder recorder(load.apps.size(), options.requests);
  const auto record = [&](const SimulatedRequest& r, double end_s) { recorder.Add(r.app, end_s - r.arrival_s); };
  while (!recorder.done()) {
    const auto request = source.Next();
    station.Enter(request, request.arrival_s, record);
  }
  return ResponseSample(recorder.Take());
}

} // namespace avocet

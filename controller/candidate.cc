#include "controller/candidate.h"

#include <algorithm>
#include <utility>

#include "controller/multi_server_model.h"
#include "controller/uncertainty.h"

namespace avocet {
namespace {

/// Predictions close to saturation exceed what a Duration can hold.
constexpr double kMaxSeconds = 1e9;
/// Of a simulation that confirms a decision: p95 to about 3 %, well below the margins of admission.
constexpr int kSimulatedRequests = 50000;

int CoresOf(const ClusterView& view, const NodeId& node) {
  const auto it = view.nodes.find(node);
  return it == view.nodes.end() ? 1 : std::max(static_cast<int>(it->second.cpu_cores), 1);
}

} // namespace

SolvedDevice SolveDevice(DeviceLoad load) {
  SolvedDevice solved{AtUpperEnd(std::move(load)), {}};
  solved.response = Solve(solved.load);
  return solved;
}

std::optional<double> Preprocessing::Delay(Duration work) const {
  if (work == Duration::zero()) return 0;
  if (share() >= kStableUtilization) return std::nullopt;
  return ToSeconds(work) * MultiServerSharingFactor(cores, busy);
}

Candidate::Candidate(const Question& question, const DeviceView& device) : question_(question), device_(device) {
  const auto& [view, request, policy, model, rate, index] = question;
  const auto& residents = index.On(device.spec.id());
  if (model != nullptr) profile_ = view.FindProfile(model->id(), format(), device.spec.type);
  memory_before_ = MemoryOf(view, device, residents, nullptr);
  memory_after_ = MemoryOf(view, device, residents, profile_);
  before_ = SolveDevice(LoadOfPlacements(view, device, residents));
  if (model != nullptr) newcomer_ = LoadOfApp(view, device, {request, model->id(), format(), rate});
  preprocessing_before_ = {CoresOf(view, device.spec.node), index.PreprocessCores(device.spec.node)};
  if (request.preprocess > Duration::zero()) SolveNeighbours();
  SetRate(rate);
}

void Candidate::SolveNeighbours() {
  for (const auto& [id, other] : question_.view.devices) {
    if (other.spec.node != device_.spec.node || &other == &device_) continue;
    neighbours_.push_back(SolveDevice(LoadOfPlacements(question_.view, other, question_.residents.On(id))));
  }
}

void Candidate::SetRate(double rate_rps) {
  preprocessing_ = preprocessing_before_;
  preprocessing_.busy += rate_rps * ToSeconds(question_.request.preprocess);
  if (!newcomer_) {
    after_ = before_;
    return;
  }
  newcomer_->rate_rps = rate_rps;
  DeviceLoad load = before_.load;
  const auto by_name = [](const AppLoad& a, const AppLoad& b) { return a.app < b.app; };
  load.apps.insert(std::upper_bound(load.apps.begin(), load.apps.end(), *newcomer_, by_name), *newcomer_);
  after_ = SolveDevice(std::move(load));
}

bool Candidate::IsUnsureOf(size_t index) const {
  const Application& app = AppOf(after_.load.apps[index]);
  const auto delay = preprocessing_.Delay(app.preprocess);
  if (!delay) return false;
  const double limit_s = ToSeconds(LimitOf(app, question_.policy)) - *delay;
  return after_.response.IsUnsure(index, app.objective.statistic, limit_s);
}

bool Candidate::IsUnsure() const {
  for (size_t i = 0; i < after_.response.apps.size(); ++i) {
    if (IsUnsureOf(i)) return true;
  }
  return false;
}

void Candidate::Simulate() {
  Refine(after_.load, after_.response, kSimulatedRequests);
  Refine(before_.load, before_.response, kSimulatedRequests);
}

const Application& Candidate::AppOf(const AppLoad& load) const {
  return load.app == question_.request.name ? question_.request : question_.view.apps.at(load.app);
}

Duration LimitOf(const Application& app, const Policy& policy) {
  const bool is_mean = app.objective.statistic == Statistic::kMean;
  const double tolerance = is_mean ? policy.mean_tolerance : policy.percentile_tolerance;
  return FromSeconds(tolerance * ToSeconds(app.objective.latency - app.network_allowance));
}

std::optional<Duration> PredictedLatency(const SolvedDevice& solved, size_t index, const Application& app,
                                         const Preprocessing& preprocessing) {
  const auto delay = preprocessing.Delay(app.preprocess);
  if (!solved.response.stable || !delay) return std::nullopt;
  const double seconds = *delay + solved.response.At(index, app.objective.statistic);
  return FromSeconds(std::min(seconds, kMaxSeconds));
}

bool MeetsObjective(const SolvedDevice& solved, size_t index, const Application& app,
                    const Preprocessing& preprocessing, const Policy& policy) {
  const auto delay = preprocessing.Delay(app.preprocess);
  if (!solved.response.stable || !delay) return false;
  return solved.response.Meets(index, app.objective.statistic, ToSeconds(LimitOf(app, policy)) - *delay);
}

} // namespace avocet

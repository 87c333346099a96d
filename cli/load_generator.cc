#include "cli/load_generator.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "messages/check.h"

namespace avocet {
namespace {

/// FNV-1a: std::hash may differ between libraries, schedules must not.
uint64_t StableHash(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::mt19937_64 MakeRandom(const LoadTarget& target, uint64_t seed) {
  const uint64_t name = StableHash(target.app.str());
  std::seed_seq sequence{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(name),
                         static_cast<uint32_t>(name >> 32)};
  return std::mt19937_64(sequence);
}

/// Shape 1/scv and scale scv give mean 1 and the wanted SCV; unused, but valid, elsewhere.
std::gamma_distribution<double> MakeGamma(double scv) {
  const double safe = scv > 0 ? scv : 1;
  return std::gamma_distribution<double>(1 / safe, safe);
}

Status CheckTarget(const LoadTarget& target) {
  return Check("load", target.app.str())
      .Name("app", target.app.str())
      .That(target.rate_rps > 0 && target.rate_rps <= kMaxRateRps, "rate_rps", target.rate_rps, "> 0 and <= 1e6")
      .That(target.arrival.scv >= 0 && target.arrival.scv <= kMaxArrivalScv, "arrival", target.arrival.scv,
            "of an SCV from 0 to 100")
      .status();
}

bool AreDistinct(const std::vector<LoadTarget>& targets) {
  std::set<AppId> names;
  return std::all_of(targets.begin(), targets.end(), [&](const auto& t) { return names.insert(t.app).second; });
}

double ExpectedRequests(const LoadPlan& plan) {
  double rate = 0;
  for (const LoadTarget& target : plan.targets)
    rate += target.rate_rps;
  return rate * ToSeconds(plan.duration);
}

} // namespace

Status Validate(const LoadPlan& plan) {
  return Check("load", std::string_view("plan"))
      .Is(!plan.targets.empty(), "targets", "empty", "at least one application")
      .Length("targets", plan.targets.size(), kMaxLoadTargets)
      .Each(plan.targets, CheckTarget)
      .Is(AreDistinct(plan.targets), "targets", "a list with an application twice", "distinct applications")
      .That(plan.duration > Duration::zero(), "duration", plan.duration, "> 0")
      .That(plan.warm_up >= Duration::zero() && plan.warm_up < plan.duration, "warm_up", plan.warm_up,
            ">= 0 and less than the duration")
      .That(ExpectedRequests(plan) <= kMaxLoadRequests, "duration", plan.duration,
            fmt::format("short enough for {} requests in all", kMaxLoadRequests))
      .status();
}

ArrivalProcess::ArrivalProcess(const LoadTarget& target, uint64_t seed)
    : random_(MakeRandom(target, seed)), gamma_(MakeGamma(target.arrival.scv)), mean_(1 / target.rate_rps),
      arrival_(target.arrival) {}

double ArrivalProcess::Uniform() {
  constexpr double kUnit = 0x1p-53;
  return (static_cast<double>(random_() >> 11) + 0.5) * kUnit;
}

double ArrivalProcess::Exponential() {
  return -std::log(Uniform());
}

/// Two phases of equal load: with probability p a mean of 1/(2p), else of 1/(2(1-p)).
double ArrivalProcess::Hyperexponential() {
  const double p = 0.5 * (1 + std::sqrt((arrival_.scv - 1) / (arrival_.scv + 1)));
  const double chosen = Uniform() < p ? p : 1 - p;
  return Exponential() / (2 * chosen);
}

double ArrivalProcess::NextGap() {
  const bool first = std::exchange(first_, false);
  if (arrival_.scv == 0) return mean_ * (first ? Uniform() : 1);
  if (arrival_.scv == 1) return mean_ * Exponential();
  return mean_ * (arrival_.scv > 1 ? Hyperexponential() : gamma_(random_));
}

LoadSchedule::LoadSchedule(const LoadPlan& plan) : end_s_(ToSeconds(plan.duration)) {
  for (const LoadTarget& target : plan.targets) {
    Source& source = sources_.emplace_back(Source{ArrivalProcess(target, plan.seed)});
    source.next_s = source.process.NextGap();
  }
}

std::optional<ScheduledRequest> LoadSchedule::Next() {
  const auto next = std::min_element(sources_.begin(), sources_.end(),
                                     [](const Source& a, const Source& b) { return a.next_s < b.next_s; });
  if (next->next_s >= end_s_) return std::nullopt;
  const ScheduledRequest request{FromSeconds(next->next_s), static_cast<size_t>(next - sources_.begin())};
  next->next_s += next->process.NextGap();
  return request;
}

bool LoadReport::ok() const {
  return std::all_of(apps.begin(), apps.end(), [](const AppLoadReport& app) {
    return app.failed == 0 && app.dropped == 0 && app.unanswered == 0;
  });
}

LoadRecorder::LoadRecorder(LoadTarget target, Duration warm_up) : warm_up_(warm_up) {
  report_.target = std::move(target);
}

void LoadRecorder::Sent(Duration intended, Duration lag) {
  ++report_.sent;
  if (intended >= warm_up_) lag_.push_back(ToSeconds(lag));
}

void LoadRecorder::Ended(const LoadOutcome& outcome) {
  if (!outcome.status.ok()) {
    ++report_.failed;
    CountError(outcome.status);
    return;
  }
  ++report_.ok;
  report_.emulated |= outcome.emulated;
  if (outcome.intended < warm_up_) return;
  latency_.push_back({ToSeconds(outcome.intended), ToSeconds(outcome.latency)});
  if (outcome.server_response) server_response_.push_back(ToSeconds(*outcome.server_response));
}

void LoadRecorder::CountError(const Status& status) {
  auto& errors = report_.errors;
  auto found = std::find_if(errors.begin(), errors.end(), [&](auto& error) { return error.code == status.code(); });
  if (found == errors.end()) found = errors.insert(errors.end(), {status.code(), 0, status.message()});
  ++found->count;
}

AppLoadReport LoadRecorder::Report(Duration elapsed) const {
  AppLoadReport report = report_;
  report.unanswered = outstanding();
  // Answers overtake each other; batch means need the order in which requests were due.
  std::vector<Sample> samples = latency_;
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.intended_s < b.intended_s; });
  std::vector<double> latency;
  latency.reserve(samples.size());
  for (const Sample& sample : samples)
    latency.push_back(sample.latency_s);
  report.latency = Summarize(latency);
  if (!server_response_.empty()) report.server_response = Summarize(server_response_);
  report.send_lag = Summarize(lag_);
  const double measured_s = ToSeconds(elapsed - warm_up_);
  report.achieved_rps = measured_s > 0 ? static_cast<double>(latency.size()) / measured_s : 0;
  std::sort(report.errors.begin(), report.errors.end(), [](auto& a, auto& b) { return a.count > b.count; });
  return report;
}

} // namespace avocet

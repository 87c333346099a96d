#include "cli/load/load_generator.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "messages/check.h"
#include "messages/invariant.h"

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

Status CheckName(const LoadTarget& target) {
  return Check("load", target.app.str()).Name("app", target.app.str()).status();
}

Status CheckTraffic(const LoadTarget& target) {
  return Check("load", target.app.str())
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

Status CheckOpenLoop(const LoadPlan& plan) {
  return Check("load", std::string_view("plan"))
      .Each(plan.targets, CheckTraffic)
      .That(ExpectedRequests(plan) <= kMaxLoadRequests, "duration", plan.duration,
            fmt::format("short enough for {} requests in all", kMaxLoadRequests))
      .status();
}

Status CheckTrace(const LoadPlan& plan) {
  const auto& trace = *plan.trace;
  const auto is_earlier = [](const ScheduledRequest& a, const ScheduledRequest& b) { return a.at < b.at; };
  const auto is_known = [&](const ScheduledRequest& r) { return r.target < plan.targets.size(); };
  return Check("load", std::string_view("plan"))
      .Is(!trace.empty(), "trace", "empty", "at least one request")
      .Length("trace", trace.size(), static_cast<size_t>(kMaxLoadRequests))
      .Is(trace.empty() || trace.front().at >= Duration::zero(), "trace", "before the start", "at >= 0")
      .Is(std::is_sorted(trace.begin(), trace.end(), is_earlier), "trace", "not in order of time", "sorted")
      .Is(std::all_of(trace.begin(), trace.end(), is_known), "trace", "of a target that there is not", "of targets")
      .status();
}

Status CheckClosedLoop(const LoadPlan& plan) {
  return Check("load", std::string_view("plan"))
      .That(plan.concurrency <= kMaxLoadConcurrency, "concurrency", plan.concurrency,
            fmt::format("at most {}", kMaxLoadConcurrency))
      .status();
}

Status CheckMode(const LoadPlan& plan) {
  switch (plan.mode()) {
  case LoadMode::kOpenLoop:
    return CheckOpenLoop(plan);
  case LoadMode::kTrace:
    return CheckTrace(plan);
  case LoadMode::kClosedLoop:
    return CheckClosedLoop(plan);
  }
  return {};
}

} // namespace

std::string_view ToString(LoadMode mode) {
  switch (mode) {
  case LoadMode::kOpenLoop:
    return "open_loop";
  case LoadMode::kTrace:
    return "trace";
  case LoadMode::kClosedLoop:
    return "closed_loop";
  }
  return "?";
}

LoadMode LoadPlan::mode() const {
  if (trace) return LoadMode::kTrace;
  return concurrency > 0 ? LoadMode::kClosedLoop : LoadMode::kOpenLoop;
}

Status Validate(const LoadPlan& plan) {
  return Check("load", std::string_view("plan"))
      .Is(!plan.targets.empty(), "targets", "empty", "at least one application")
      .Length("targets", plan.targets.size(), kMaxLoadTargets)
      .Each(plan.targets, CheckName)
      .Is(AreDistinct(plan.targets), "targets", "a list with an application twice", "distinct applications")
      .That(plan.duration > Duration::zero(), "duration", plan.duration, "> 0")
      .That(plan.warm_up >= Duration::zero() && plan.warm_up < plan.duration, "warm_up", plan.warm_up,
            ">= 0 and less than the duration")
      .Is(!plan.trace || plan.concurrency == 0, "concurrency", "set beside a trace", "0 for a trace")
      .Part(CheckMode(plan))
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

LoadSchedule::LoadSchedule(const LoadPlan& plan) : trace_(plan.trace), end_(plan.duration) {
  if (plan.mode() != LoadMode::kOpenLoop) return;
  for (const LoadTarget& target : plan.targets) {
    AVOCET_CHECK(target.rate_rps > 0); // otherwise time would stand still, or run backwards
    Source& source = sources_.emplace_back(Source{ArrivalProcess(target, plan.seed)});
    source.next_s = source.process.NextGap();
  }
}

std::optional<ScheduledRequest> LoadSchedule::Next() {
  const auto request = trace_ ? Read() : Draw();
  return request && request->at < end_ ? request : std::nullopt;
}

std::optional<ScheduledRequest> LoadSchedule::Draw() {
  if (sources_.empty()) return std::nullopt;
  const auto next = std::min_element(sources_.begin(), sources_.end(),
                                     [](const Source& a, const Source& b) { return a.next_s < b.next_s; });
  const ScheduledRequest request{FromSeconds(next->next_s), static_cast<size_t>(next - sources_.begin())};
  next->next_s += next->process.NextGap();
  return request;
}

std::optional<ScheduledRequest> LoadSchedule::Read() {
  if (read_ == trace_->size()) return std::nullopt;
  return (*trace_)[read_++];
}

} // namespace avocet

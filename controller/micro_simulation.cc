#include "controller/micro_simulation.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
#include <random>

namespace avocet {
namespace {

/// Requests that were not disturbed take their service time, but for rounding.
constexpr double kRounding = 1e-9;

struct Request {
  size_t app = 0;
  double arrival_s = 0;
  double work_s = 0;
};

/// Poisson arrivals of all applications in order of time.
class Source {
public:
  Source(const DeviceLoad& load, uint64_t seed) : random_(seed) {
    for (const auto& app : load.apps) {
      total_ += app.rate_rps;
      up_to_.push_back(total_);
      services_.emplace_back();
      for (const auto& part : ServiceParts(app.service)) {
        const double mean = part.mean_s, scv = part.scv;
        services_.back().push_back({part.probability, mean, scv > 0 ? Gamma(1 / scv, mean * scv) : Gamma(), scv > 0});
      }
    }
  }

  Request Next() {
    now_ -= std::log1p(-Uniform()) / total_;
    const auto it = std::upper_bound(up_to_.begin(), up_to_.end() - 1, Uniform() * total_);
    const auto app = static_cast<size_t>(it - up_to_.begin());
    auto& part = PartOf(services_[app]);
    return {app, now_, part.varies ? part.gamma(random_) : part.mean_s};
  }

private:
  using Gamma = std::gamma_distribution<>;
  struct Part {
    double probability = 1;
    double mean_s = 0;
    Gamma gamma;
    bool varies = false;
  };

  Part& PartOf(std::vector<Part>& parts) {
    if (parts.size() == 1) return parts.front();
    double left = Uniform();
    for (auto& part : parts) {
      left -= part.probability;
      if (left < 0) return part;
    }
    return parts.back();
  }

  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  std::mt19937_64 random_;
  std::vector<double> up_to_;               ///< cumulated rates
  std::vector<std::vector<Part>> services_; ///< by application
  double total_ = 0;
  double now_ = 0;
};

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

void PlayFifo(const DeviceLoad& load, Source& source, Recorder& recorder) {
  double free_at = 0;
  const ModelId* previous = nullptr;
  while (!recorder.done()) {
    const Request request = source.Next();
    const auto& app = load.apps[request.app];
    const bool switches = previous != nullptr && *previous != app.model;
    previous = &app.model;
    free_at = std::max(free_at, request.arrival_s) + request.work_s + (switches ? app.switch_s : 0);
    recorder.Add(request.app, free_at - request.arrival_s + app.tail_s);
  }
}

void PlayServers(const DeviceLoad& load, Source& source, Recorder& recorder) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (int i = 0; i < load.cores; ++i)
    free_at.push(0);
  while (!recorder.done()) {
    const Request request = source.Next();
    const double end = std::max(free_at.top(), request.arrival_s) + request.work_s;
    free_at.pop();
    free_at.push(end);
    recorder.Add(request.app, end - request.arrival_s);
  }
}

/// Lines of requests; those in service attain service at the same speed. In virtual time, which passes
/// as a request in service attains service, each ends when it begins plus its work.
class SharedDevice {
public:
  SharedDevice(const DeviceLoad& load, const SimulationOptions& options)
      : cores_(load.discipline == Discipline::kMultiServer ? load.cores : 1),
        workers_(load.discipline == Discipline::kTimeShared ? static_cast<size_t>(options.workers) : SIZE_MAX) {
    std::map<ModelId, size_t> lines;
    for (const auto& app : load.apps)
      line_of_.push_back(lines.emplace(app.model, lines.size()).first->second);
    lines_.resize(lines.size());
  }

  void Add(const Request& request) {
    auto& line = lines_[line_of_[request.app]];
    if (line.in_service < workers_)
      Begin(request, line);
    else
      line.waiting.push_back(request);
  }

  /// Serves until `until`; reports completions.
  void Advance(double until, Recorder& recorder) {
    while (!in_service_.empty()) {
      const Running first = in_service_.top();
      const double end = now_ + (first.ends_at - virtual_) / Speed();
      if (end > until) break;
      now_ = end;
      virtual_ = first.ends_at;
      in_service_.pop();
      recorder.Add(first.app, now_ - first.arrival_s);
      End(lines_[line_of_[first.app]]);
    }
    if (!in_service_.empty()) virtual_ += (until - now_) * Speed();
    now_ = until;
  }

private:
  struct Running {
    double ends_at = 0; ///< virtual
    double arrival_s = 0;
    size_t app = 0;
    bool operator>(const Running& other) const { return ends_at > other.ends_at; }
  };
  struct Line {
    size_t in_service = 0;
    std::deque<Request> waiting;
  };

  double Speed() const { return std::min(1.0, cores_ / static_cast<double>(in_service_.size())); }

  void Begin(const Request& request, Line& line) {
    ++line.in_service;
    in_service_.push({virtual_ + request.work_s, request.arrival_s, request.app});
  }

  void End(Line& line) {
    --line.in_service;
    if (line.waiting.empty()) return;
    Begin(line.waiting.front(), line);
    line.waiting.pop_front();
  }

  double cores_;
  size_t workers_;
  double now_ = 0;
  double virtual_ = 0;
  std::vector<size_t> line_of_; ///< by application
  std::vector<Line> lines_;
  std::priority_queue<Running, std::vector<Running>, std::greater<>> in_service_;
};

void PlaySharing(const DeviceLoad& load, const SimulationOptions& options, Source& source, Recorder& recorder) {
  SharedDevice device(load, options);
  while (!recorder.done()) {
    const Request request = source.Next();
    device.Advance(request.arrival_s, recorder);
    device.Add(request);
  }
}

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
  Source source(load, options.seed);
  Recorder recorder(load.apps.size(), options.requests);
  if (load.discipline == Discipline::kFifo)
    PlayFifo(load, source, recorder);
  else if (load.discipline == Discipline::kMultiServer && !options.shared_cores)
    PlayServers(load, source, recorder);
  else
    PlaySharing(load, options, source, recorder);
  return ResponseSample(recorder.Take());
}

} // namespace avocet

#include "tests/controller/queue_simulator.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <limits>
#include <map>
#include <numeric>
#include <random>

namespace avocet::testing {
namespace {

struct Request {
  size_t app = 0;
  double arrival_s = 0;
  double work_s = 0;
};

/// Poisson arrivals of all applications in order of time.
class Source {
public:
  Source(const DeviceLoad& load, uint64_t seed) : load_(load), random_(seed) {
    std::vector<double> rates;
    for (const auto& app : load.apps)
      rates.push_back(app.rate_rps);
    gap_ = std::exponential_distribution<>(std::accumulate(rates.begin(), rates.end(), 0.0));
    pick_ = std::discrete_distribution<size_t>(rates.begin(), rates.end());
  }

  Request Next() {
    now_ += gap_(random_);
    const size_t app = pick_(random_);
    const auto& [mean, scv] = load_.apps[app].service;
    const double work = scv > 0 ? std::gamma_distribution<>(1 / scv, mean * scv)(random_) : mean;
    return {app, now_, work};
  }

private:
  const DeviceLoad& load_;
  std::mt19937_64 random_;
  std::exponential_distribution<> gap_;
  std::discrete_distribution<size_t> pick_;
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

  std::vector<SimulatedApp> Summarize() {
    std::vector<SimulatedApp> result;
    for (auto& r : responses_) {
      std::sort(r.begin(), r.end());
      const auto at = [&](double p) {
        return r.empty() ? 0 : r[static_cast<size_t>(p * static_cast<double>(r.size()))];
      };
      const double sum = std::accumulate(r.begin(), r.end(), 0.0);
      result.push_back({sum / static_cast<double>(std::max<size_t>(r.size(), 1)), at(0.5), at(0.95), at(0.99)});
    }
    return result;
  }

private:
  std::vector<std::vector<double>> responses_;
  int warm_up_;
  int left_;
};

void SimulateFifo(const DeviceLoad& load, Source& source, Recorder& recorder) {
  double free_at = 0;
  ModelId previous;
  while (!recorder.done()) {
    const Request request = source.Next();
    const auto& app = load.apps[request.app];
    const double work = request.work_s + (app.model == previous ? 0 : app.switch_s);
    previous = app.model;
    free_at = std::max(free_at, request.arrival_s) + work;
    recorder.Add(request.app, free_at - request.arrival_s);
  }
}

/// One queue per executor; the heads of the non-empty ones share the device equally.
class SharedDevice {
public:
  explicit SharedDevice(const DeviceLoad& load) {
    std::map<ModelId, size_t> executors;
    for (const auto& app : load.apps) {
      const bool own = load.discipline == Discipline::kTimeShared;
      executor_of_.push_back(own ? executors.emplace(app.model, executors.size()).first->second : 0);
    }
    unlimited_ = load.discipline == Discipline::kProcessorSharing;
    queues_.resize(std::max<size_t>(executors.size(), 1));
  }

  /// Requests in service. Under processor sharing every request is.
  std::vector<Request*> InService() {
    std::vector<Request*> heads;
    for (auto& queue : queues_) {
      for (auto& request : queue) {
        heads.push_back(&request);
        if (!unlimited_) break;
      }
    }
    return heads;
  }

  void Add(const Request& request) { queues_[executor_of_[request.app]].push_back(request); }

  /// Serves until `until`; reports completions.
  void Advance(double& now, double until, Recorder& recorder) {
    while (now < until) {
      const auto heads = InService();
      if (heads.empty()) break;
      const auto first =
          *std::min_element(heads.begin(), heads.end(), [](auto* a, auto* b) { return a->work_s < b->work_s; });
      const double share = static_cast<double>(heads.size()), end = now + first->work_s * share;
      const double served = (std::min(end, until) - now) / share;
      for (auto* request : heads)
        request->work_s -= served;
      now = std::min(end, until);
      if (end > until) break;
      recorder.Add(first->app, now - first->arrival_s);
      Remove(first);
    }
    now = until;
  }

private:
  void Remove(const Request* request) {
    for (auto& queue : queues_) {
      for (auto it = queue.begin(); it != queue.end(); ++it) {
        if (&*it != request) continue;
        queue.erase(it);
        return;
      }
    }
  }

  bool unlimited_ = false;
  std::vector<size_t> executor_of_;
  std::vector<std::deque<Request>> queues_;
};

void SimulateSharing(const DeviceLoad& load, Source& source, Recorder& recorder) {
  SharedDevice device(load);
  double now = 0;
  while (!recorder.done()) {
    const Request request = source.Next();
    device.Advance(now, request.arrival_s, recorder);
    device.Add(request);
  }
}

} // namespace

std::vector<SimulatedApp> Simulate(const DeviceLoad& load, const SimulationOptions& options) {
  assert(load.discipline != Discipline::kMultiServer);
  Source source(load, options.seed);
  Recorder recorder(load.apps.size(), options.requests);
  if (load.discipline == Discipline::kFifo)
    SimulateFifo(load, source, recorder);
  else
    SimulateSharing(load, source, recorder);
  return recorder.Summarize();
}

} // namespace avocet::testing

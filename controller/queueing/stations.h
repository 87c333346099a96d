#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <vector>

#include "controller/queueing/latency_model.h"
#include "controller/queueing/request_source.h"

namespace avocet {

// The queues of the simulations, one for each discipline. A request enters at a moment, in order of time, and is
// reported by `done(request, end_s)` when its end is known. Headers, so that `done` costs no call.

/// One executor, first come first served; pays the switch where the model changes. Lindley's recursion.
class FifoStation {
public:
  explicit FifoStation(const std::vector<AppLoad>& apps);

  template <class Done> void Enter(const SimulatedRequest& request, double now_s, const Done& done) {
    const Class& app = classes_[request.app];
    const double switch_s = app.model == previous_ || previous_ == kNone ? 0 : app.switch_s;
    previous_ = app.model;
    free_at_s_ = std::max(free_at_s_, now_s) + request.work_s + switch_s;
    done(request, free_at_s_ + app.tail_s);
  }

private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Class {
    uint32_t model = 0;
    double switch_s = 0;
    double tail_s = 0; ///< the client still waits when the executor is free
  };
  std::vector<Class> classes_; ///< by application
  uint32_t previous_ = kNone;
  double free_at_s_ = 0;
};

/// Several cores, first come first served, one request per core.
class ServerStation {
public:
  explicit ServerStation(int servers)
      : free_at_s_(std::greater<>(), std::vector<double>(static_cast<size_t>(servers))) {}

  template <class Done> void Enter(const SimulatedRequest& request, double now_s, const Done& done) {
    const double end = std::max(free_at_s_.top(), now_s) + request.work_s;
    free_at_s_.pop();
    free_at_s_.push(end);
    done(request, end);
  }

private:
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at_s_;
};

/// Lines of requests; the first `workers` of each are in service, and those attain service at the same
/// speed: 1, or cores / (how many) where that is less. In virtual time, which passes as a request in service
/// attains service, each ends when it begins plus its work.
class SharedStation {
public:
  struct Job {
    SimulatedRequest request;
    double work_s = 0; ///< here, which need not be request.work_s
  };

  /// `line_of` is by application.
  SharedStation(std::vector<size_t> line_of, size_t workers, int cores);

  template <class Done> void Enter(const Job& job, double now_s, const Done& done) {
    Advance(now_s, done);
    Line& line = lines_[line_of_[job.request.app]];
    if (line.in_service < workers_)
      Begin(job, line);
    else
      line.waiting.push_back(job);
  }

  /// Serves until `until_s`; reports the ends, in order of time.
  template <class Done> void Advance(double until_s, const Done& done) {
    while (!in_service_.empty()) {
      const Running first = in_service_.top();
      const double end = now_s_ + (first.ends_at - virtual_) / Speed();
      if (end > until_s) break;
      now_s_ = end;
      virtual_ = first.ends_at;
      in_service_.pop();
      End(lines_[line_of_[first.request.app]]);
      done(first.request, now_s_);
    }
    if (!in_service_.empty()) virtual_ += (until_s - now_s_) * Speed();
    now_s_ = until_s;
  }

private:
  struct Running {
    double ends_at = 0; ///< virtual
    SimulatedRequest request;
    bool operator>(const Running& other) const { return ends_at > other.ends_at; }
  };
  struct Line {
    size_t in_service = 0;
    std::deque<Job> waiting;
  };

  double Speed() const { return std::min(1.0, cores_ / static_cast<double>(in_service_.size())); }
  void Begin(const Job& job, Line& line);
  void End(Line& line);

  std::vector<size_t> line_of_;
  size_t workers_;
  double cores_;
  double now_s_ = 0;
  double virtual_ = 0;
  std::vector<Line> lines_;
  std::priority_queue<Running, std::vector<Running>, std::greater<>> in_service_;
};

struct StationOptions {
  int workers = 1;           ///< kTimeShared: requests of one model in service at once, >= 1
  bool shared_cores = false; ///< kMultiServer: processor sharing on the cores instead of first come first served
};

/// A device of any discipline. Applications with equal model share a line, or need no switch.
class DeviceStation {
public:
  DeviceStation(const DeviceLoad& load, const StationOptions& options);

  template <class Done> void Enter(const SimulatedRequest& request, double now_s, const Done& done) {
    switch (kind_) {
    case Kind::kFifo:
      return fifo_.Enter(request, now_s, done);
    case Kind::kServers:
      return servers_.Enter(request, now_s, done);
    case Kind::kShared:
      return shared_.Enter({request, request.work_s}, now_s, done);
    }
  }

private:
  enum class Kind { kFifo, kServers, kShared };
  static Kind KindOf(const DeviceLoad& load, const StationOptions& options);

  Kind kind_;
  FifoStation fifo_;
  ServerStation servers_;
  SharedStation shared_;
};

} // namespace avocet

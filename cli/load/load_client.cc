#include "cli/load/load_client.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <future>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "cli/load/load_calls.h"
#include "cli/load/load_tensors.h"
#include "cli/load/load_transport.h"
#include "messages/check.h"

namespace avocet {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration kProgressInterval = std::chrono::milliseconds(200);

// ---- the clock ----

/// Sleeps at most until `until`, precisely: a relative sleep would add its own lateness each time.
void SleepUntil(MonotonicTime until) {
  const auto ns = std::chrono::duration_cast<Duration>(until.time_since_epoch()).count();
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  const timespec time{static_cast<time_t>(ns / kNsPerSecond), static_cast<long>(ns % kNsPerSecond)};
  // A signal may cut it short; the caller loops.
  (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

/// False when a stop was requested first.
bool WaitUntil(MonotonicTime until, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const MonotonicTime now = Clock::now();
    if (now >= until) return true;
    SleepUntil(std::min<MonotonicTime>(until, now + kProgressInterval));
  }
  return false;
}

Duration ProcessorTime() {
  rusage usage{};
  (void)getrusage(RUSAGE_SELF, &usage);
  const auto total = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return total(usage.ru_utime) + total(usage.ru_stime);
}

// ---- what is sent ----

Result<LoadPayload> MakePayload(LoadTransport& transport, const AppId& app, const LoadClientOptions& options,
                                uint64_t seed) {
  const std::string what = fmt::format("application '{}' at {}", app.str(), options.address);
  const auto specs = transport.InputsOf(app);
  if (!specs.ok()) return specs.status().WithContext(what);
  LoadPayload payload{app, {}};
  for (const TensorSpec& open : *specs) {
    TensorSpec spec = Concrete(open);
    auto bytes = MakeTensorBytes(spec, options.fill, seed++);
    if (!bytes.ok()) return bytes.status().WithContext(what);
    payload.inputs.push_back({std::move(spec), std::move(*bytes)});
  }
  return payload;
}

Result<std::vector<LoadPayload>> MakePayloads(LoadTransport& transport, const LoadPlan& plan,
                                              const LoadClientOptions& options) {
  std::vector<LoadPayload> payloads;
  for (const LoadTarget& target : plan.targets) {
    AVOCET_ASSIGN_OR_RETURN(auto payload, MakePayload(transport, target.app, options, plan.seed));
    payloads.push_back(std::move(payload));
  }
  return payloads;
}

Result<std::unique_ptr<LoadTransport>> Connect(const LoadClientOptions& options) {
  return options.protocol == LoadProtocol::kGrpc ? ConnectGrpc(options) : ConnectHttp(options);
}

// ---- the run ----

/// Three threads: one sends requests when they are due, the transport's receives answers, the caller's reports
/// progress. Hence neither drawing a table nor parsing an answer makes a request late.
class Runner {
public:
  Runner(const LoadPlan& plan, const LoadClientOptions& options, std::stop_token stop,
         std::unique_ptr<LoadTransport> transport, std::vector<LoadPayload> payloads)
      : plan_(plan), options_(options), on_stop_(std::move(stop), Stop{enough_}),
        calls_(plan, plan.mode() == LoadMode::kClosedLoop ? plan.concurrency : options.max_outstanding),
        transport_(std::move(transport)) {
    transport_->Start(std::move(payloads),
                      [this](LoadCall& call, LoadAnswer answer) { Ended(call, std::move(answer)); });
    start_ = Clock::now();
  }

  LoadReport Run(const OnLoadProgress& on_progress) {
    const Duration processor_time = ProcessorTime();
    auto sender = std::async(std::launch::async, [this] { return Offer(); });
    while (sender.wait_for(kProgressInterval) != std::future_status::ready)
      Report(on_progress);
    const bool completed = sender.get();
    calls_.Close();
    const Duration elapsed = std::min<Duration>(Clock::now() - start_, plan_.duration);
    const Duration used = ProcessorTime() - processor_time;
    Drain(on_progress);
    return {options_.address, options_.protocol, plan_, !completed, elapsed, used, calls_.Reports(elapsed)};
  }

private:
  struct Stop {
    std::stop_source& source;
    void operator()() const { source.request_stop(); }
  };

  /// On a thread of its own; false when it was stopped early.
  bool Offer() {
    (void)prctl(PR_SET_TIMERSLACK, 1UL); // or the kernel may round wake-ups by 50 us
    if (plan_.mode() == LoadMode::kClosedLoop) {
      for (uint64_t i = 0; i < plan_.concurrency * plan_.targets.size(); ++i)
        (void)Send({Clock::now() - start_, i % plan_.targets.size()});
    }
    const std::stop_token stop = enough_.get_token();
    LoadSchedule schedule(plan_);
    for (auto due = schedule.Next(); due && WaitUntil(start_ + due->at, stop); due = schedule.Next())
      (void)Send(*due);
    return WaitUntil(start_ + plan_.duration, stop);
  }

  bool Send(const ScheduledRequest& due) {
    LoadCall* call = calls_.Begin(due);
    if (call) transport_->Send(*call);
    return call;
  }

  /// On the transport's thread.
  void Ended(LoadCall& call, LoadAnswer answer) {
    const size_t target = call.target;
    const MonotonicTime now = Clock::now();
    calls_.End(call, std::move(answer), start_, now);
    if (plan_.mode() != LoadMode::kClosedLoop || Send({now - start_, target})) return;
    enough_.request_stop(); // over anyway, or as many were sent as a run keeps
  }

  void Report(const OnLoadProgress& on_progress) {
    const Duration elapsed = std::min<Duration>(Clock::now() - start_, plan_.duration);
    if (on_progress) on_progress({elapsed, plan_.duration, calls_.Progress(elapsed)});
  }

  void Drain(const OnLoadProgress& on_progress) {
    const MonotonicTime end = Clock::now() + options_.drain_deadline;
    bool ended = false;
    for (MonotonicTime now = Clock::now(); !ended && now < end; now = Clock::now()) {
      Report(on_progress);
      ended = calls_.WaitUntilAllEnded(std::min<MonotonicTime>(end, now + kProgressInterval));
    }
    if (!ended) calls_.Abandon();
    Report(on_progress);
  }

  const LoadPlan& plan_;
  const LoadClientOptions& options_;
  std::stop_source enough_;
  const std::stop_callback<Stop> on_stop_;
  MonotonicTime start_{};
  LoadCalls calls_;
  std::unique_ptr<LoadTransport> transport_; ///< last: it calls back until it is gone
};

} // namespace

Status NoServerAnswers(const LoadClientOptions& options) {
  const std::string how =
      options.ca.empty() ? "" : fmt::format(" with a certificate that {} vouches for", options.ca.string());
  return Unavailable(
      fmt::format("no inference endpoint answers at {}{}; is the agent (or 'avocet dev') running there{}?",
                  options.address, how, options.ca.empty() ? ", unencrypted" : ""));
}

Status UnknownDataType(const std::string& input, const std::string& datatype) {
  return Unsupported(fmt::format("input '{}' has the unknown datatype '{}'", input, datatype));
}

Status WrongId(uint64_t sent, const std::string& answered) {
  return Internal(fmt::format("request {} was answered with the id '{}'", sent, answered));
}

Status Validate(const LoadClientOptions& options) {
  constexpr Duration kZero = Duration::zero();
  return Check("load", options.address)
      .That(!options.address.empty(), "address", options.address, "host:port")
      .That(options.connections <= kMaxLoadConnections, "connections", options.connections,
            fmt::format("at most {}", kMaxLoadConnections))
      .That(options.connect_deadline > kZero, "connect_deadline", options.connect_deadline, "> 0")
      .That(options.request_deadline > kZero, "request_deadline", options.request_deadline, "> 0")
      .That(options.drain_deadline >= kZero, "drain_deadline", options.drain_deadline, ">= 0")
      .That(options.max_outstanding >= 1, "max_outstanding", options.max_outstanding, ">= 1")
      .status();
}

Result<LoadReport> RunLoad(const LoadPlan& plan, const LoadClientOptions& options, const OnLoadProgress& on_progress,
                           std::stop_token stop) {
  AVOCET_RETURN_IF_ERROR(Validate(plan));
  AVOCET_RETURN_IF_ERROR(Validate(options));
  AVOCET_ASSIGN_OR_RETURN(auto transport, Connect(options));
  AVOCET_ASSIGN_OR_RETURN(auto payloads, MakePayloads(*transport, plan, options));
  return Runner(plan, options, std::move(stop), std::move(transport), std::move(payloads)).Run(on_progress);
}

} // namespace avocet

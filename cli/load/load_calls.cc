#include "cli/load/load_calls.h"

#include <utility>

namespace avocet {
namespace {

constexpr Duration kRollInterval = std::chrono::seconds(1);

} // namespace

LoadCalls::LoadCalls(const LoadPlan& plan, uint64_t max_outstanding)
    : max_outstanding_(max_outstanding), latest_(plan.targets.size()) {
  for (const LoadTarget& target : plan.targets)
    recorders_.emplace_back(target, plan.warm_up);
}

LoadCall* LoadCalls::Begin(const ScheduledRequest& due) {
  const std::lock_guard lock(mutex_);
  // Bounded in total, too, because the latencies of all requests are kept in memory.
  if (closed_ || static_cast<double>(begun_) >= kMaxLoadRequests) return nullptr;

  LoadRecorder& recorder = recorders_[due.target];
  // An open loop never waits: a request beyond the bound is dropped and counted.
  if (recorder.outstanding() >= max_outstanding_) {
    recorder.Dropped(due.at);
    return nullptr;
  }
  recorder.Sent(due.at);

  // Calls are reused, so that a steady load allocates nothing.
  if (unused_.empty()) unused_.push_back(&calls_.emplace_back());
  LoadCall* call = unused_.back();
  unused_.pop_back();
  *call = {.id = ++begun_, .target = due.target, .intended = due.at};
  return call;
}

void LoadCalls::End(LoadCall& call, LoadAnswer answer, MonotonicTime start, MonotonicTime now) {
  LoadOutcome outcome;
  outcome.intended = call.intended;
  outcome.latency = now - start - call.intended;
  outcome.send_lag = call.sent - start - call.intended;
  outcome.server_response = answer.server_response;
  outcome.status = std::move(answer.status);
  outcome.emulated = answer.emulated;
  const std::lock_guard lock(mutex_);
  if (!abandoned_) recorders_[call.target].Ended(outcome);
  unused_.push_back(&call);
  if (unused_.size() == calls_.size()) all_ended_.notify_all();
}

void LoadCalls::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool LoadCalls::WaitUntilAllEnded(MonotonicTime until) {
  std::unique_lock lock(mutex_);
  return all_ended_.wait_until(lock, until, [this] { return unused_.size() == calls_.size(); });
}

void LoadCalls::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
}

std::vector<AppLoadProgress> LoadCalls::Progress(Duration elapsed) {
  const std::lock_guard lock(mutex_);
  // Rates and percentiles are of whole intervals; shorter ones would jitter.
  if (elapsed - rolled_at_ >= kRollInterval) Roll(elapsed);
  std::vector<AppLoadProgress> progress = latest_;

  // The counters are current, unlike the rates and percentiles.
  for (size_t i = 0; i < progress.size(); ++i) {
    const LoadRecorder& r = recorders_[i];
    AppLoadProgress& app = progress[i];
    app.app = r.target().app;
    app.sent = r.sent();
    app.ok = r.ok();
    app.failed = r.failed();
    app.dropped = r.dropped();
    app.outstanding = r.outstanding();
  }
  return progress;
}

void LoadCalls::Roll(Duration elapsed) {
  const double seconds = ToSeconds(elapsed - rolled_at_);
  rolled_at_ = elapsed;
  for (size_t i = 0; i < latest_.size(); ++i) {
    const LatencySketch recent = recorders_[i].TakeRecent();
    latest_[i].ok_rps = static_cast<double>(recent.total()) / seconds;
    latest_[i].p50 = recent.Quantile(0.50);
    latest_[i].p99 = recent.Quantile(0.99);
  }
}

std::vector<AppLoadReport> LoadCalls::Reports(Duration elapsed) const {
  const std::lock_guard lock(mutex_);
  std::vector<AppLoadReport> reports;
  for (const LoadRecorder& recorder : recorders_)
    reports.push_back(recorder.Report(elapsed));
  return reports;
}

} // namespace avocet

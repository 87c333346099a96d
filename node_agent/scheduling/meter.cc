#include "node_agent/scheduling/meter.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace avocet {
namespace {

/// How fast the shares of DeviceActivity forget.
constexpr double kMemorySeconds = 10;

AppWindow EmptyWindow(const AppId& app, const ModelId& model) {
  AppWindow window;
  window.app = app;
  window.model = model;
  return window;
}

} // namespace

Meter::Meter(DeviceId device, BootId boot, MonotonicTime opened)
    : device_(std::move(device)), boot_(std::move(boot)), opened_(opened) {}

void Meter::Open(const AppId& app, const ModelId& model) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_.try_emplace(app).first->second;
  entry.closed = false;
  if (entry.window.model == model) return;
  entry.window.app = app;
  entry.window.model = model;
  entry.window.service = {};
  entry.window.switched_service = {};
}

void Meter::Close(const AppId& app) {
  const std::lock_guard lock(mutex_);
  if (Entry* entry = Find(app)) entry->closed = true;
}

void Meter::Accepted(const AppId& app, MonotonicTime at) {
  const std::lock_guard lock(mutex_);
  Entry* entry = Find(app);
  if (entry == nullptr) return;
  ++entry->window.arrivals;
  if (entry->last_arrival) {
    entry->window.interarrival.Add(ToSeconds(std::max(at - *entry->last_arrival, Duration::zero())));
  }
  entry->last_arrival = std::max(at, entry->last_arrival.value_or(at));
}

void Meter::Refused(const AppId& app, bool expired) {
  const std::lock_guard lock(mutex_);
  Entry* entry = Find(app);
  if (entry == nullptr) return;
  ++entry->window.refusals;
  if (expired) ++entry->window.expired;
}

void Meter::Answered(const AppId& app, const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  Entry* entry = Find(app);
  if (entry == nullptr) return;
  AppWindow& window = entry->window;
  if (!outcome.ok) {
    ++window.failures;
    if (outcome.expired) ++window.expired;
    return;
  }
  ++window.completions;
  Moments& service = outcome.switched ? window.switched_service : window.service;
  service.Add(ToSeconds(outcome.attained_service));
  window.response.Add(ToSeconds(outcome.response));
  window.response_sketch.Add(outcome.response);
}

void Meter::RunBegan(MonotonicTime at) {
  const std::lock_guard lock(mutex_);
  if (running_++ == 0) busy_since_ = std::max(at, opened_);
}

void Meter::RunEnded(MonotonicTime at) {
  const std::lock_guard lock(mutex_);
  if (--running_ == 0) CountBusyUntil(at);
}

MeasurementWindow Meter::CloseWindow(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (running_ > 0) CountBusyUntil(now);
  MeasurementWindow window;
  window.device = device_;
  window.boot = boot_;
  window.sequence = ++sequence_;
  window.length = std::max<Duration>(now - opened_, Duration(1));
  // A run that ends while `now` waits for the lock may reach past it by that wait.
  window.busy = std::min(std::exchange(busy_, Duration::zero()), window.length);
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entry& entry = it->second;
    AppWindow next = EmptyWindow(it->first, entry.window.model);
    window.apps.push_back(std::exchange(entry.window, std::move(next)));
    it = entry.closed ? entries_.erase(it) : std::next(it);
  }
  opened_ = std::max(now, opened_);
  Remember(window);
  return window;
}

void Meter::Remember(const MeasurementWindow& window) {
  const double kept = std::exp(-ToSeconds(window.length) / kMemorySeconds);
  const double busy = ToSeconds(window.busy) / ToSeconds(window.length);
  totals_.busy += window.busy;
  totals_.utilization = kept * totals_.utilization + (1 - kept) * busy;
  recent_completions_ *= kept;
  recent_switches_ *= kept;
  for (const AppWindow& app : window.apps) {
    totals_.completions += app.completions;
    totals_.switches += app.switched_service.count;
    recent_completions_ += static_cast<double>(app.completions);
    recent_switches_ += static_cast<double>(app.switched_service.count);
  }
  totals_.switch_share = recent_completions_ > 0 ? recent_switches_ / recent_completions_ : 0;
}

DeviceActivity Meter::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

void Meter::CountBusyUntil(MonotonicTime at) {
  busy_ += std::max(at - busy_since_, Duration::zero());
  busy_since_ = std::max(at, busy_since_);
}

Meter::Entry* Meter::Find(const AppId& app) {
  const auto it = entries_.find(app);
  return it == entries_.end() ? nullptr : &it->second;
}

} // namespace avocet

#include "node_agent/engines/service_meter.h"

#include <algorithm>

#include "messages/invariant.h"
#include "node_agent/engines/process_usage.h"

namespace avocet {
namespace {

MonotonicTime Now() {
  return MonotonicTime::clock::now();
}

} // namespace

Duration SharedService::Advance(MonotonicTime now) {
  AVOCET_CHECK(now >= seen_);
  if (running_ > 0) each_ += (now - seen_) / static_cast<int64_t>(running_);
  seen_ = now;
  return each_;
}

Duration SharedService::Begin(MonotonicTime now) {
  const Duration begun = Advance(now);
  ++running_;
  return begun;
}

Duration SharedService::Attained(MonotonicTime now, Duration begun) {
  return std::max(Advance(now) - begun, Duration(1));
}

void SharedService::End(MonotonicTime now) {
  AVOCET_CHECK(running_ > 0);
  (void)Advance(now);
  --running_;
}

ServiceMeter::ServiceMeter(DeviceKind kind, Discipline discipline)
    : clock_(discipline == Discipline::kFifo ? Clock::kWall
             : kind == DeviceKind::kCpu      ? Clock::kThreadCpu
                                             : Clock::kShared) {}

Duration ServiceMeter::Begin() {
  if (clock_ == Clock::kWall) return Now().time_since_epoch();
  if (clock_ == Clock::kThreadCpu) return ThreadCpuTime();
  const std::lock_guard lock(mutex_);
  return shared_.Begin(Now());
}

Duration ServiceMeter::Attained(Duration begun) {
  if (clock_ != Clock::kShared) return std::max(Begin() - begun, Duration(1));
  const std::lock_guard lock(mutex_);
  return shared_.Attained(Now(), begun);
}

void ServiceMeter::End() {
  if (clock_ != Clock::kShared) return;
  const std::lock_guard lock(mutex_);
  shared_.End(Now());
}

ServiceMeter::Run::Run(ServiceMeter& meter) : meter_(meter), begun_(meter.Begin()) {}

ServiceMeter::Run::~Run() {
  meter_.End();
}

Duration ServiceMeter::Run::Attained() const {
  return meter_.Attained(begun_);
}

} // namespace avocet

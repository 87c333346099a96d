#pragma once

#include <cstddef>
#include <mutex>

#include "messages/device.h"
#include "messages/units.h"

namespace avocet {

/// Service that runs attain from a device which they share equally: while n run, each
/// attains 1/n of the time that passes. Time is passed in; requires that it does not go back.
class SharedService {
public:
  /// A run begins; what its attained service will be counted from.
  Duration Begin(MonotonicTime now);
  /// What a run that began at `begun` has attained, at least 1 ns.
  Duration Attained(MonotonicTime now, Duration begun);
  /// Requires that a run has begun and not ended.
  void End(MonotonicTime now);

private:
  Duration Advance(MonotonicTime now);

  size_t running_ = 0;
  Duration each_{}; ///< what a run that never ended would have attained
  MonotonicTime seen_{};
};

/// How the runs of one device are timed:
///   fifo         wall time, since one runs at a time
///   time_shared  on a CPU the thread's CPU time; elsewhere the host cannot see what a run got of the
///                device, and SharedService stands for it
/// Thread-safe.
class ServiceMeter {
public:
  ServiceMeter(DeviceKind kind, Discipline discipline);

  /// One run, from construction to destruction, on one thread.
  class Run {
  public:
    explicit Run(ServiceMeter& meter);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    /// Up to now, at least 1 ns.
    Duration Attained() const;

  private:
    ServiceMeter& meter_;
    Duration begun_;
  };

private:
  enum class Clock { kWall, kThreadCpu, kShared };
  Duration Begin();
  Duration Attained(Duration begun);
  void End();

  const Clock clock_;
  std::mutex mutex_;
  SharedService shared_;
};

} // namespace avocet

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "messages/ids.h"
#include "messages/measurement.h"
#include "messages/units.h"

namespace avocet {

/// How an accepted request ended.
struct Outcome {
  bool ok = false;
  bool switched = false;
  Duration attained_service{};
  Duration response{};  ///< received -> finished
  bool expired = false; ///< not ok, because its deadline had passed
};

/// What a device did since it was opened; the shares are of about the last ten seconds' closed windows.
struct DeviceActivity {
  Duration busy{}; ///< with at least one request in service
  uint64_t completions = 0;
  uint64_t switches = 0;   ///< completions that made the device switch models
  double utilization = 0;  ///< busy time / time
  double switch_share = 0; ///< switches / completions
};

/// Counts what one device does, window by window. Thread-safe; every call takes one short lock.
/// Moments of time are passed in; small disorder between threads is tolerated (never negative).
/// Applications must be opened first; calls for others are ignored.
class Meter {
public:
  Meter(DeviceId device, BootId boot, MonotonicTime opened);

  /// From now on every window lists the application, also when it was idle.
  void Open(const AppId& app, const ModelId& model);
  /// The current window is the last one that lists the application.
  void Close(const AppId& app);

  void Accepted(const AppId& app, MonotonicTime at);
  void Refused(const AppId& app, bool expired = false);
  /// The answer of an accepted request. Failures keep their attained service out of the moments.
  void Answered(const AppId& app, const Outcome& outcome);

  /// A run begins or ends on the device, whoever asked for it; runs may overlap.
  void RunBegan(MonotonicTime at);
  void RunEnded(MonotonicTime at);

  /// Ends the current window and begins the next one. Of an application that changed its model in
  /// between, the window holds the service moments of the last model only.
  MeasurementWindow CloseWindow(MonotonicTime now);
  DeviceActivity totals() const;

private:
  struct Entry {
    AppWindow window;
    std::optional<MonotonicTime> last_arrival; ///< spans windows
    bool closed = false;
  };
  void CountBusyUntil(MonotonicTime at);
  void Remember(const MeasurementWindow& window);
  Entry* Find(const AppId& app);

  const DeviceId device_;
  const BootId boot_;
  mutable std::mutex mutex_;
  std::map<AppId, Entry> entries_;
  uint64_t sequence_ = 0;
  MonotonicTime opened_;
  MonotonicTime busy_since_{};
  Duration busy_{};
  int running_ = 0;
  DeviceActivity totals_;
  double recent_completions_ = 0; ///< fading
  double recent_switches_ = 0;
};

} // namespace avocet

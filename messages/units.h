#pragma once

#include <chrono>
#include <cstdint>

namespace avocet {

/// Lengths of time. Integers of nanoseconds on disk and on the wire (fields end in _ns).
using Duration = std::chrono::nanoseconds;
/// A local moment. Never leaves the process: durations cross machines, clocks never do.
using MonotonicTime = std::chrono::steady_clock::time_point;
/// A moment shown to people.
using WallTime = std::chrono::system_clock::time_point;

constexpr double ToSeconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}
constexpr double ToMillis(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

/// Nearest nanosecond; the caller guarantees a finite value within +-292 years.
constexpr Duration FromSeconds(double s) {
  return Duration(static_cast<int64_t>(s * 1e9 + (s < 0 ? -0.5 : 0.5)));
}
constexpr Duration FromMillis(double ms) {
  return FromSeconds(ms * 1e-3);
}

constexpr uint64_t kMiB = uint64_t{1} << 20;

} // namespace avocet

// Waits that a library makes until a moment of the wall clock last as long as they were meant to, whatever the wall
// clock is set to meanwhile. gRPC's timers wait in this way: Abseil hands the moment to futex(2), and when the clock of
// a board without a battery is set back by an hour, no timer runs for an hour; the link is not dialled again. Abseil
// reaches the kernel through syscall(3), of which the program has its own: the linker prefers a program's function to a
// library's.
#include <array>
#include <cstdarg>
#include <cstdint>
#include <ctime>

#include <dlfcn.h>
#include <linux/futex.h>
#include <sys/syscall.h>

namespace {

using Arguments = std::array<long, 6>;

long Forward(long number, const Arguments& a) {
  using Syscall = long(long, long, long, long, long, long, long);
  static auto* const next = reinterpret_cast<Syscall*>(dlsym(RTLD_NEXT, "syscall"));
  return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int64_t NanosOf(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

int64_t Now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return NanosOf(now);
}

/// The same moment by the clock that is never set. In the past by both when it is by one.
timespec ToMonotonic(const timespec& wall) {
  const int64_t left = NanosOf(wall) - Now(CLOCK_REALTIME);
  const int64_t moment = left > 0 ? Now(CLOCK_MONOTONIC) + left : 0;
  return {.tv_sec = moment / 1'000'000'000, .tv_nsec = moment % 1'000'000'000};
}

} // namespace

extern "C" __attribute__((visibility("default"))) long syscall(long number, ...) noexcept {
  Arguments a{};
  va_list list;
  va_start(list, number);
  for (long& one : a)
    one = va_arg(list, long);
  va_end(list);

  // The second argument is the operation, the fourth the moment.
  const bool until = number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET && a[3] != 0;
  if (!until || (a[1] & FUTEX_CLOCK_REALTIME) == 0) return Forward(number, a);

  const timespec moment = ToMonotonic(*reinterpret_cast<const timespec*>(a[3]));
  a[1] &= ~static_cast<long>(FUTEX_CLOCK_REALTIME);
  a[3] = reinterpret_cast<long>(&moment);
  return Forward(number, a);
}

// A library for LD_PRELOAD: it sets a program's wall clock back by the seconds in the file that AVOCET_CLOCK_FILE
// names, from the moment on that they stand there. As when the machine's clock is set, a wait until a moment of the
// wall clock lasts longer then, also one that has begun. For processes under test (tests/support/shifted_clock.h).
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

const std::atomic<int64_t>* MapShift() {
  static const std::atomic<int64_t> none{0};
  const char* path = std::getenv("AVOCET_CLOCK_FILE");
  const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return &none;
  void* const at = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  return at == MAP_FAILED ? &none : static_cast<const std::atomic<int64_t>*>(at);
}

int64_t Shift() {
  static const std::atomic<int64_t>* const shift = MapShift();
  return shift->load();
}

template <class F> F* Next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

timespec Later(timespec time) {
  time.tv_sec += Shift();
  return time;
}

bool IsYetToCome(const timespec& moment) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec < moment.tv_sec || (now.tv_sec == moment.tv_sec && now.tv_nsec < moment.tv_nsec);
}

} // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static auto* const next = Next<int(clockid_t, timespec*)>("clock_gettime");
  const int result = next(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec -= Shift();
  return result;
}

int gettimeofday(timeval* time, void* zone) noexcept {
  static auto* const next = Next<int(timeval*, void*)>("gettimeofday");
  const int result = next(time, zone);
  if (result == 0) time->tv_sec -= Shift();
  return result;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

long syscall(long number, ...) noexcept {
  static auto* const next = Next<long(long, long, long, long, long, long, long)>("syscall");
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& one : a)
    one = va_arg(list, long);
  va_end(list);
  const bool until = number == SYS_futex && (a[1] & FUTEX_CLOCK_REALTIME) != 0 && a[3] != 0;
  if (!until) return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  const auto* moment = reinterpret_cast<const timespec*>(a[3]);
  for (;;) {
    const timespec later = Later(*moment);
    const long result = next(number, a[0], a[1], a[2], reinterpret_cast<long>(&later), a[4], a[5]);
    if (result == 0 || errno != ETIMEDOUT || !IsYetToCome(*moment)) return result;
  }
}
}

#include "cli/process/signals.h"

#include <csignal>
#include <ctime>

namespace avocet {
namespace {

sigset_t HeldSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

} // namespace

void HoldSignals() {
  const sigset_t set = HeldSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool SignalsAreHeld() {
  sigset_t held;
  pthread_sigmask(SIG_BLOCK, nullptr, &held);
  return sigismember(&held, SIGINT) == 1 && sigismember(&held, SIGTERM) == 1;
}

int WaitForSignal(const std::function<bool()>& alive, Duration poll, const std::function<void()>& on_hangup) {
  const sigset_t set = HeldSignals();
  const timespec step{.tv_sec = static_cast<time_t>(poll / std::chrono::seconds(1)),
                      .tv_nsec = static_cast<long>((poll % std::chrono::seconds(1)).count())};
  while (alive()) {
    const int signal = sigtimedwait(&set, nullptr, &step);
    if (signal <= 0) continue;
    if (signal == SIGHUP && on_hangup) {
      on_hangup();
      continue;
    }
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    return signal;
  }
  return 0;
}

} // namespace avocet

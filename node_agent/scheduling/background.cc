#include "node_agent/scheduling/background.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace avocet {
namespace {

constexpr int kNice = 10; // more than its process has: about a tenth of what a thread of normal priority gets beside it

} // namespace

void LowerPriority() {
  const auto self = static_cast<id_t>(gettid());
  (void)setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + kNice); // without it all still works
  pthread_setname_np(pthread_self(), "av-background");
}

} // namespace avocet

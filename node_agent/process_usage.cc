#include "node_agent/process_usage.h"

#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

namespace avocet {

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

Duration ThreadCpuTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

void ReturnFreedMemory() {
  malloc_trim(0);
}

} // namespace avocet

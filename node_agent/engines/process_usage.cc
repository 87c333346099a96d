#include "node_agent/engines/process_usage.h"

#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <system_error>

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

Status MeasureMemory(const std::filesystem::path& file, const std::function<Status()>& load, uint64_t& memory_bytes) {
  ReturnFreedMemory(); // or free heap of earlier models would hide this one's growth
  const uint64_t before = ResidentBytes();
  AVOCET_RETURN_IF_ERROR(load());
  const uint64_t after = ResidentBytes();
  std::error_code error;
  const uint64_t file_bytes = std::filesystem::file_size(file, error);
  memory_bytes = std::max(after > before ? after - before : 0, error ? 0 : file_bytes);
  return {};
}

} // namespace avocet

#include "cli/process/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace avocet {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(200);

} // namespace

void ParallelFor(size_t count, int jobs, const std::function<void(size_t)>& work,
                 const std::function<void(size_t)>& progress) {
  std::atomic<size_t> next = 0, done = 0;
  const auto work_on = [&] {
    for (size_t i = next++; i < count; i = next++) {
      work(i);
      ++done;
    }
  };
  std::vector<std::future<void>> workers;
  for (size_t i = 0; i < std::min(count, static_cast<size_t>(std::max(jobs, 1))); ++i)
    workers.push_back(std::async(std::launch::async, work_on));
  for (auto& worker : workers) {
    while (worker.wait_for(kProgressInterval) != std::future_status::ready) {
      if (progress) progress(done);
    }
  }
  for (auto& worker : workers)
    worker.get();
}

int AvailableJobs() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

} // namespace avocet

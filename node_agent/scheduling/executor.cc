#include "node_agent/scheduling/executor.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

namespace avocet {
namespace {

constexpr size_t kMaxThreadName = 15; // pthread_setname_np refuses longer ones

// Waking a thread on another core costs 20 us on a virtual machine, ten times all the rest. Where
// work follows work within this time the thread looks again for so long before it sleeps; at lower
// rates it sleeps at once, so idling costs nothing.
constexpr Duration kLookAgain = std::chrono::microseconds(50);

Status Pin(pthread_t thread, const std::vector<int>& cores) {
  if (cores.empty()) return {};

  cpu_set_t set;
  CPU_ZERO(&set);
  std::string list;
  for (const int core : cores) {
    list += (list.empty() ? "" : ",") + std::to_string(core);
    // Checked first: CPU_SET with a larger number writes past the end of the set.
    if (core < 0 || core >= CPU_SETSIZE) return InvalidArgument("core " + std::to_string(core) + " does not exist");
    CPU_SET(static_cast<size_t>(core), &set);
  }

  const int error = pthread_setaffinity_np(thread, sizeof(set), &set);
  if (error == 0) return {};
  // The kernel says only "invalid argument", for cores that are missing and for those that are not allowed.
  return InvalidArgument("cannot pin a thread to cores [" + list + "]: " + std::generic_category().message(error) +
                         "; name cores that this machine has and this process may use");
}

} // namespace

Executor::Executor(const ExecutorOptions& options, Serve serve)
    : serve_(std::move(serve)), thread_([this] { Loop(); }) {
  pthread_setname_np(thread_.native_handle(), options.name.substr(0, kMaxThreadName).c_str());
  pinned_ = Pin(thread_.native_handle(), options.cores);
}

Executor::~Executor() {
  Stop();
}

void Executor::Push(Work work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    has_work_.store(true, std::memory_order_relaxed);
    if (is_reserved_) return; // whoever serves now takes this work, too
  }
  changed_.notify_one();
}

bool Executor::TryReserve() {
  const std::lock_guard lock(mutex_);
  if (stopping_ || is_serving_ || is_reserved_ || !queue_.empty()) return false;
  is_reserved_ = true;
  return true;
}

void Executor::ServeHere(Work work) {
  serve_(std::move(work));
  const std::lock_guard lock(mutex_);
  is_reserved_ = false;
  if (is_due()) changed_.notify_all();
}

std::vector<Work> Executor::Extract(const std::function<bool(const Work&)>& matches) {
  const std::lock_guard lock(mutex_);
  const auto keep = [&](const Work& work) { return !matches(work); };
  const auto first = std::stable_partition(queue_.begin(), queue_.end(), keep);
  std::vector<Work> taken(std::make_move_iterator(first), std::make_move_iterator(queue_.end()));
  queue_.erase(first, queue_.end());
  return taken;
}

std::vector<Work> Executor::Stop() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    has_work_.store(true, std::memory_order_relaxed);
    changed_.notify_one();
    changed_.wait(lock, [this] { return !is_reserved_; });
  }
  if (thread_.joinable()) thread_.join();
  return Extract([](const Work&) { return true; });
}

void Executor::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!is_due()) AwaitWork(lock);
    if (stopping_) return;
    Work work = std::move(queue_.front());
    queue_.pop_front();
    is_serving_ = true;
    lock.unlock();
    serve_(std::move(work));
    lock.lock();
    is_serving_ = false;
  }
}

void Executor::AwaitWork(std::unique_lock<std::mutex>& lock) {
  const MonotonicTime begin = MonotonicTime::clock::now();
  if (last_idle_ < kLookAgain) {
    has_work_.store(false, std::memory_order_relaxed);
    lock.unlock();
    while (!has_work_.load(std::memory_order_relaxed) && MonotonicTime::clock::now() - begin < kLookAgain)
      std::this_thread::yield();
    lock.lock();
  }
  changed_.wait(lock, [this] { return is_due(); });
  last_idle_ = MonotonicTime::clock::now() - begin;
}

} // namespace avocet

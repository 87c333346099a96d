#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include <spdlog/spdlog.h>

#include "actors/protocol/keyed_budget.h"

namespace avocet {

/// Lines that peers cause in the log, by opening and breaking sessions: a budget for each peer, so that one that does
/// it all day hides nobody else's lines and fills no disk. Lines that were left out are counted. Thread-safe.
class PeerLog {
public:
  /// `peer`: a name that the peer cannot change at will, such as that of its certificate, or its address.
  template <class... Args> void Write(spdlog::level::level_enum level, const std::string& peer,
                                      spdlog::format_string_t<Args...> format, Args&&... args) {
    const std::lock_guard lock(mutex_);
    if (!budget_.Take(peer, std::chrono::steady_clock::now())) return;
    if (const uint64_t dropped = budget_.TakeDropped(peer); dropped > 0)
      spdlog::warn("lines left out peer={} count={}", peer, dropped);
    spdlog::log(level, format, std::forward<Args>(args)...);
  }

private:
  std::mutex mutex_;
  KeyedBudget<std::string> budget_{{.burst = 20, .interval = std::chrono::seconds(5), .max_keys = 8192}};
};

} // namespace avocet

#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "messages/units.h"

namespace avocet::bench {

struct Target {
  std::string rest, grpc;
  std::string from; ///< the attackers' address; clients come from 127.0.0.1
};

/// What well-behaved clients saw.
struct Seen {
  std::mutex mutex;
  std::vector<double> ms; ///< of requests that were served
  int unserved = 0;

  void Note(bool is_served, Duration time) {
    const std::lock_guard lock(mutex);
    if (!is_served) ++unserved;
    if (is_served) ms.push_back(ToMillis(time));
  }
  double P99() {
    if (ms.empty()) return 0;
    std::sort(ms.begin(), ms.end());
    return ms[(ms.size() - 1) * 99 / 100];
  }
};

/// The head of a POST, with the empty line.
std::string RequestHead(const std::string& path, size_t length, const std::string& fields = {});

/// Two clients of each transport for a while, each with a request of 4 KiB every 10 ms.
void Measure(const Target& target, Duration time, Seen& rest, Seen& grpc);

} // namespace avocet::bench

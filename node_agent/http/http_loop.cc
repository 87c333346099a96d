#include "node_agent/http/http_loop.h"

#include <algorithm>
#include <chrono>

namespace avocet {
namespace {

/// How often deadlines are looked at: a fraction of the shortest, at most every second.
Duration SweepEvery(const HttpLimits& limits) {
  const Duration shortest = std::min({limits.head_deadline, limits.idle_deadline, limits.body_deadline,
                                      limits.write_deadline, limits.linger, limits.rate_period});
  return std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(1), std::chrono::seconds(1));
}

} // namespace

void HttpLoop::Add(HttpConnection& connection) {
  connections.insert(&connection);
  if (connections.size() == 1) Sweep();
}

void HttpLoop::Remove(HttpConnection& connection) {
  connections.erase(&connection);
  if (connections.empty()) sweep.cancel();
  --shared.connections;
}

void HttpLoop::Sweep() {
  const MonotonicTime now = MonotonicTime::clock::now();
  for (HttpConnection* connection : connections)
    connection->CheckDeadline(now);
  sweep.expires_after(SweepEvery(shared.limits));
  sweep.async_wait([this](boost::system::error_code error) {
    if (!error && !connections.empty()) Sweep();
  });
}

} // namespace avocet

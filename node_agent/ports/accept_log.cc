#include "node_agent/ports/accept_log.h"

#include <spdlog/spdlog.h>

#include "node_agent/ports/descriptor_limit.h"

namespace avocet {

void AcceptLog::Refused(const std::string& reason, const std::string& peer) {
  if (!budget_.Take(MonotonicTime::clock::now())) return;
  if (const uint64_t dropped = budget_.TakeDropped(); dropped > 0)
    spdlog::warn("refused connections not logged port={} count={}", port_, dropped);
  spdlog::warn("connection refused reason=\"{}\" port={} peer={}", reason, port_, peer);
}

void AcceptLog::Failed(const std::string& reason) {
  const MonotonicTime now = MonotonicTime::clock::now();
  const auto verdict = watch_.Failed(now);
  if (verdict == AcceptWatch::Verdict::kFailing && budget_.Take(now))
    spdlog::warn("connections have to wait port={} reason=\"{}\"", port_, reason);
  if (verdict == AcceptWatch::Verdict::kNotAccepting)
    spdlog::error("port does not accept port={} for_s={:.0f} reason=\"{}\" remedy=\"raise LimitNOFILE\"", port_,
                  ToSeconds(watch_.failing_for()), reason);
}

void AcceptLog::Succeeded() {
  if (watch_.Succeeded() == AcceptWatch::Verdict::kAcceptsAgain)
    spdlog::info("port accepts again port={} after_s={:.0f}", port_, ToSeconds(watch_.failing_for()));
}

void AcceptLog::Limited(const ConnectionLimits& wanted, const ConnectionLimits& allowed) const {
  if (allowed.max_connections >= wanted.max_connections) return;
  spdlog::warn("fewer connections allowed, for want of descriptors port={} max_connections={} max_per_address={} "
               "descriptors={} remedy=\"raise LimitNOFILE\"",
               port_, allowed.max_connections, allowed.max_per_address, DescriptorLimit());
}

} // namespace avocet

#pragma once

#include <string>
#include <utility>

#include "messages/log_budget.h"
#include "messages/units.h"
#include "node_agent/ports/connection_admission.h"

namespace avocet {

/// What a port that accepts connections writes to the log: refusals and failures, which anybody may cause, within a
/// budget; a port that keeps failing to accept as an error. Not thread-safe.
class AcceptLog {
public:
  /// `port`: its name in the log. After `error_after` of failures it logs an error: somebody must act.
  AcceptLog(std::string port, Duration error_after) : port_(std::move(port)), watch_(error_after) {}

  void Refused(const std::string& reason, const std::string& peer);
  /// `reason`: why nothing could be accepted.
  void Failed(const std::string& reason);
  /// A connection was accepted, or none waits.
  void Succeeded();
  /// Says so when descriptors allow fewer connections than are wanted.
  void Limited(const ConnectionLimits& wanted, const ConnectionLimits& allowed) const;

private:
  std::string port_;
  AcceptWatch watch_;
  LogBudget budget_{10, std::chrono::seconds(10)};
};

} // namespace avocet

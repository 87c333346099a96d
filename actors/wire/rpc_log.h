#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/status.h"

namespace avocet {

/// Sends what gRPC and OpenSSL say about refused connections into our log, as "connection refused reason=...
/// peer=..." and "certificate refused reason=... certificate=...", and gRPC's other errors; at most a line per second
/// after a burst of 100, as anybody who reaches the port can cause them. For processes that serve; thread-safe, once is
/// enough.
void RouteRpcLog();

/// Instead, for programs that ask: what gRPC says goes to the log's level debug, as the statuses of the calls say it,
/// too. A later RouteRpcLog counts.
void QuietRpcLog();

/// Logs "call refused reason=... peer=...", within the limit of RouteRpcLog.
void LogRefusedCall(const std::string& peer, const Status& refusal);

/// Why a connection came to nothing.
struct FailedHandshake {
  std::string reason;
  std::string peer; ///< empty: gRPC did not say
};
/// What a line of gRPC 1.51's log says about one; nullopt for all other lines.
std::optional<FailedHandshake> ParseFailedHandshake(std::string_view line);

} // namespace avocet

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "messages/units.h"
#include "node_agent/ports/connection_admission.h"
#include "node_agent/ports/server_certificate.h"

namespace avocet {

struct HttpLimits {
  size_t max_header_bytes = 16 * 1024; ///< of a request line and its fields
  uint64_t max_body_bytes = 64 * kMiB; ///< of one request; also of the tensors decoded from its JSON
  /// Of the REST port, and of /metrics. A new one beyond them takes the place of the one that has been idle for
  /// longest; when none is idle it is answered 503. Fewer where descriptors are scarce.
  ConnectionLimits connections;
  ConnectionLimits metrics_connections = {.max_connections = 64, .max_per_address = 32};
  Duration head_deadline = std::chrono::seconds(10); ///< for a header: from accepting, later from its first byte
  Duration idle_deadline = std::chrono::seconds(75); ///< from an answer to the complete header of the next request
  Duration body_deadline = std::chrono::seconds(60); ///< from the complete header to the complete body
  /// Bytes per second of a body or an answer, over each `rate_period`: a slower client is cut off, as what it sends or
  /// takes holds memory meanwhile.
  uint64_t least_rate = 32 * 1024;
  Duration rate_period = std::chrono::seconds(10);
  Duration write_deadline = std::chrono::seconds(60); ///< for a client to take its answer
  Duration linger = std::chrono::seconds(2);          ///< how long a client that is refused may go on sending
};

struct HttpServerOptions {
  std::string rest_address = "127.0.0.1:8000";    ///< host:port; port 0 is ephemeral; empty: not served
  std::string metrics_address = "127.0.0.1:8002"; ///< host:port of /metrics; port 0 is ephemeral; empty: not served
  bool plaintext = false;                         ///< allows addresses beyond loopback without TLS
  /// Of the REST endpoint; and of /metrics beyond loopback, unless `plaintext`. Its files are looked at for each
  /// connection.
  std::optional<ServerCertificate> tls;
  unsigned threads = 2;                              ///< IO threads, 1 .. 64
  Duration drain_deadline = std::chrono::seconds(5); ///< how long Stop() waits for requests in hand
  HttpLimits limits;
};

/// What a server counts of its connections.
struct HttpCounters {
  size_t connections = 0; ///< open now
  uint64_t refused = 0;   ///< ever, for being too many
  uint64_t evicted = 0;   ///< ever: idle ones that made room for new ones
  uint64_t slow = 0;      ///< ever: cut off in the middle of a body or an answer
};

/// Makes the page of /metrics. Called by one thread at a time, which serves no connection: it may take milliseconds.
using MetricsPage = std::function<std::string(const HttpCounters&)>;

} // namespace avocet

#pragma once

#include <memory>
#include <string>

#include "messages/status.h"
#include "node_agent/http/http_options.h"
#include "node_agent/inference/inference_core.h"

namespace avocet {

/// The Open Inference Protocol over HTTP/1.1 (REST with the binary tensor extension), and /metrics on
/// a listener of its own. The same applications, errors and statistics as over gRPC: both stand on one
/// InferenceCore. Serves until Stop() or destruction. Thread-safe.
///
/// A few IO threads share the connections; none ever waits for a device, a client, or large JSON. All
/// that a client can make the server hold is bounded before it is allocated: header, body, decoded
/// tensors, bytes in flight, connections, and the time for each of them (HttpLimits).
class HttpServer {
public:
  /// Binds and serves. kUnavailable when an address cannot be
  /// bound; kInvalidArgument for an address that is malformed, or beyond loopback and neither
  /// encrypted nor `plaintext`, for a certificate that cannot be used, and for wrong options.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                   std::shared_ptr<InferenceCore> core, MetricsPage metrics);
  ~HttpServer();

  /// With the real ports; empty when not served.
  std::string rest_address() const;
  std::string metrics_address() const;
  HttpCounters counters() const;

  /// Closes the listeners and idle connections, lets requests in hand finish until the drain
  /// deadline, then cancels them: queued ones at once, a running one when its run ends. Idempotent; blocks.
  void Stop();

private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet

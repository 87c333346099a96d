#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/grpc/answer_watch.h"
#include "node_agent/inference/inference_core.h"
#include "node_agent/ports/connection_acceptor.h"
#include "node_agent/ports/connection_admission.h"
#include "node_agent/ports/server_certificate.h"

namespace avocet {

struct InferenceServerOptions {
  std::string grpc_address = "127.0.0.1:8001"; ///< host:port; port 0 is ephemeral
  bool plaintext = false;                      ///< allows addresses beyond loopback without TLS
  std::optional<ServerCertificate> tls;        ///< absent: no encryption
  uint64_t max_message_bytes = 64 * kMiB;      ///< of one request, also decompressed; 1 .. 2 GiB - 1
  /// What gRPC may hold of messages that are not complete, and of what it sends.
  uint64_t max_unfinished_bytes = 512 * kMiB;
  ConnectionLimits connections; ///< more are closed at once; fewer where descriptors are scarce
  Duration handshake_deadline = std::chrono::seconds(10); ///< from accepting a connection to its first frame
  Duration max_idle = std::chrono::minutes(5);            ///< without a call; then the connection is closed
  AnswerWatchOptions answers;                             ///< for clients to take their answers
  Duration drain_deadline = std::chrono::seconds(5);      ///< how long Stop() waits for calls in flight
};

/// The Open Inference Protocol over gRPC (inference.GRPCInferenceService): the methods of the protocol
/// and, of Triton's, ModelStreamInfer, ModelConfig, ModelStatistics and RepositoryIndex. Clients'
/// model name is the application's name. Serves until Stop() or destruction. Thread-safe.
///
/// Calls are answered on gRPC's threads; inference waits in the device's bounded queue, never in a
/// handler. The earlier of the call's deadline and its `timeout` parameter (microseconds) is the
/// request's deadline; a client that goes away frees its place in the queue. Errors: NOT_FOUND
/// (application, version), INVALID_ARGUMENT (inputs, parameters), UNIMPLEMENTED (shared memory,
/// loading and unloading), UNAVAILABLE (queue full, too many bytes in flight, withdrawn, `timeout` passed),
/// DEADLINE_EXCEEDED and CANCELLED (the call's own), INTERNAL (engine).
class InferenceServer {
public:
  /// Binds and serves. kUnavailable when the address cannot be bound; kInvalidArgument for an
  /// address that is malformed, or beyond loopback and neither encrypted nor `plaintext`, for a
  /// certificate that cannot be read, and for wrong options.
  static Result<std::unique_ptr<InferenceServer>> Start(const InferenceServerOptions& options,
                                                        std::shared_ptr<InferenceCore> core);
  ~InferenceServer();
  /// The address with the real port.
  std::string address() const;
  AcceptorCounters connections() const;
  uint64_t slow_calls() const; ///< cut off so far
  /// Refuses new calls, lets those in flight finish until the drain deadline, then cancels them:
  /// queued ones at once, a running one when its run ends. Idempotent; blocks.
  void Stop();

private:
  class Impl;
  explicit InferenceServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet

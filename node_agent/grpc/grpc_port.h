#pragma once

#include <memory>
#include <string>

#include <grpcpp/server_builder.h>

#include "messages/status.h"
#include "node_agent/ports/connection_acceptor.h"

namespace avocet {

/// The port of a gRPC server: our acceptor in front of it. gRPC 1.51's own stops accepting for good once the process
/// ran out of descriptors, and bounds nothing. All that gRPC does with a connection (TLS, its deadlines, limits,
/// context.peer()) is as with a port of its own. Thread-safe.
class GrpcPort {
public:
  /// Binds the address and adds the port to the server. kInvalidArgument, kUnavailable: as ListenOn.
  static Result<std::unique_ptr<GrpcPort>> Open(const std::string& address, const AcceptorOptions& options,
                                                grpc::ServerBuilder& builder,
                                                const std::shared_ptr<grpc::ServerCredentials>& credentials);

  /// Requires that the server was started. To be called once.
  void Serve();
  /// To be called before the server is shut down: gRPC would leak connections that come later. Idempotent.
  void Stop() { acceptor_->Stop(); }

  const std::string& address() const { return acceptor_->address(); }
  AcceptorCounters counters() const { return acceptor_->counters(); }

private:
  using External = grpc::experimental::ExternalConnectionAcceptor;
  GrpcPort(std::unique_ptr<External> external, std::unique_ptr<ConnectionAcceptor> acceptor)
      : external_(std::move(external)), acceptor_(std::move(acceptor)) {}

  std::unique_ptr<External> external_;
  std::unique_ptr<ConnectionAcceptor> acceptor_; ///< its thread uses `external_`
};

} // namespace avocet

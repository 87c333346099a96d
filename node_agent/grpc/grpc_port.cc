#include "node_agent/grpc/grpc_port.h"

#include <utility>

namespace avocet {

Result<std::unique_ptr<GrpcPort>> GrpcPort::Open(const std::string& address, const AcceptorOptions& options,
                                                 grpc::ServerBuilder& builder,
                                                 const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  AVOCET_ASSIGN_OR_RETURN(auto acceptor, ConnectionAcceptor::Listen(address, options));
  auto external = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  return std::unique_ptr<GrpcPort>(new GrpcPort(std::move(external), std::move(acceptor)));
}

void GrpcPort::Serve() {
  acceptor_->Start([external = external_.get()](int listener, int socket) {
    External::NewConnectionParameters connection;
    connection.listener_fd = listener;
    connection.fd = socket; // gRPC's from here on: it closes it
    external->HandleNewConnection(&connection);
  });
}

} // namespace avocet

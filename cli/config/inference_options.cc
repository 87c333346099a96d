#include "cli/config/inference_options.h"

#include "messages/address.h"

namespace avocet {
namespace {

/// `host_of` with its usual port, or an ephemeral one where gRPC has one.
std::string Beside(const std::string& grpc, const std::string& host_of, int port) {
  const auto address = ParseAddress(grpc);
  return WithPort(host_of, address.ok() && address->port == 0 ? 0 : port);
}

} // namespace

InferenceServerOptions GrpcOptions(const InferenceConfig& config) {
  InferenceServerOptions options;
  options.grpc_address = config.grpc;
  options.plaintext = config.plaintext;
  options.tls = config.tls;
  return options;
}

HttpServerOptions HttpOptions(const InferenceConfig& config) {
  HttpServerOptions options;
  options.rest_address = config.rest.value_or(Beside(config.grpc, config.grpc, 8000));
  options.metrics_address = config.metrics.value_or(Beside(config.grpc, options.metrics_address, 8002));
  options.plaintext = config.plaintext;
  options.tls = config.tls;
  return options;
}

} // namespace avocet

#include "cli/config/inference_options.h"

#include "messages/address.h"
#include "node_agent/probes/memory_limit.h"

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

InferenceCoreOptions CoreOptions(const InferenceConfig& config) {
  InferenceCoreOptions options;
  options.max_bytes_in_flight =
      config.memory_mb ? static_cast<uint64_t>(*config.memory_mb) * kMiB : MemoryForRequests(MemoryLimit());
  options.max_answer_bytes = static_cast<uint64_t>(config.max_answer_mb) * kMiB;
  return options;
}

std::map<std::string, size_t> QueuesOf(const AgentConfig& config) {
  std::map<std::string, size_t> queues;
  for (const DeviceConfig& device : config.devices)
    queues.emplace(device.name, static_cast<size_t>(device.queue));
  return queues;
}

} // namespace avocet

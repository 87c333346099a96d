#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "cli/config/config_files.h"
#include "node_agent/grpc/inference_server.h"
#include "node_agent/http/http_options.h"
#include "node_agent/inference/inference_core.h"

namespace avocet {

// [inference] of a configuration file as options of the two endpoints, defaults filled in.

InferenceServerOptions GrpcOptions(const InferenceConfig& config);
HttpServerOptions HttpOptions(const InferenceConfig& config);
/// Without `memory_mb` the memory for requests follows from what this process may have.
InferenceCoreOptions CoreOptions(const InferenceConfig& config);
/// How many requests may wait for each device, by its name.
std::map<std::string, size_t> QueuesOf(const AgentConfig& config);

} // namespace avocet

#pragma once

#include "cli/config/config_files.h"
#include "node_agent/grpc/inference_server.h"
#include "node_agent/http/http_options.h"

namespace avocet {

// [inference] of a configuration file as options of the two endpoints, defaults filled in.

InferenceServerOptions GrpcOptions(const InferenceConfig& config);
HttpServerOptions HttpOptions(const InferenceConfig& config);

} // namespace avocet

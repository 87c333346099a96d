#pragma once

#include "cli/config_files.h"
#include "node_agent/http_options.h"
#include "node_agent/inference_server.h"

namespace avocet {

// [inference] of a configuration file as options of the two endpoints, defaults filled in.

InferenceServerOptions GrpcOptions(const InferenceConfig& config);
HttpServerOptions HttpOptions(const InferenceConfig& config);

} // namespace avocet

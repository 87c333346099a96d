#pragma once

#include "inference/grpc_service.pb.h"
#include "node_agent/inference/inference_core.h"

namespace avocet {

// What the protocol says of applications, as gRPC messages. All messages are filled from empty.

void EncodeMetadata(const ServedModel& model, inference::ModelMetadataResponse& message);
void EncodeConfig(const ServedModel& model, inference::ModelConfig& message);
void EncodeStatistics(const ServedStatistics& statistics, inference::ModelStatistics& message);

} // namespace avocet

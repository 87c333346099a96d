#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "messages/status.h"
#include "node_agent/inference/inference.h"
#include "node_agent/inference/inference_core.h"
#include "node_agent/inference/request_parameters.h"
#include "node_agent/tensors/tensor.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {

/// A request's inputs. Views point into the request message where its bytes are as engines want
/// them, else into `converted`. Movable; the message must outlive the views.
struct DecodedInputs {
  std::vector<TensorView> views;
  std::vector<std::vector<std::byte>> converted;
};

/// Inputs in either form of the protocol, never mixed: raw (one raw_input_contents per input) or
/// typed (contents). Checks form only: datatypes known, element counts and BYTES lengths as the shape says, typed
/// contents in the right field and in range. kInvalidArgument says which input and why;
/// kUnsupported for shared memory.
Result<DecodedInputs> DecodeInputs(const inference::ModelInferRequest& request);

/// kInvalidArgument when there are too many.
Result<Parameters> DecodeParameters(const inference::ModelInferRequest& request);

/// The outputs asked for. kUnsupported: shared memory; kInvalidArgument: `classification`.
Result<std::vector<RequestedOutput>> DecodeOutputs(const inference::ModelInferRequest& request);

/// Fills the response but for the raw outputs: names, version, echoed id, parameters, which outputs.
void EncodeAnswer(const inference::ModelInferRequest& request, const InferenceAnswer& answer,
                  inference::ModelInferResponse& response);

} // namespace avocet

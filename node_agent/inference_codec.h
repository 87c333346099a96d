#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/tensor.h"

namespace avocet {

/// Tensors that one request may hold: inputs, and outputs asked for.
inline constexpr int kMaxTensorsPerRequest = 256;

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

/// The `timeout` parameter (microseconds); nullopt when absent or 0. kInvalidArgument unless it is a
/// non-negative integer.
Result<std::optional<Duration>> DecodeTimeout(const inference::ModelInferRequest& request);

/// Which outputs to send, as indexes into the signature's, in the order asked for; empty (all) when
/// the request names none. kInvalidArgument: unknown or twice; kUnsupported: classification, shared memory.
Result<std::vector<size_t>> SelectOutputs(const inference::ModelInferRequest& request, const ModelSignature& signature);

/// What a response says besides its outputs.
struct ResponseFacts {
  ModelId model;
  bool emulated = false;
};

/// Fills everything but the outputs: names, version, echoed id, parameters.
void EncodeFacts(const inference::ModelInferRequest& request, const ResponseFacts& facts,
                 inference::ModelInferResponse& response);
/// Appends the chosen outputs (none chosen: all), raw. kInternal when the engine returned fewer than the signature has.
Status EncodeOutputs(const std::vector<Tensor>& outputs, const std::vector<size_t>& chosen,
                     inference::ModelInferResponse& response);
/// Inputs and outputs of a signature.
void EncodeSignature(const ModelSignature& signature, inference::ModelMetadataResponse& response);

/// The part of "<name>:<version>" behind the colon.
std::string VersionOf(const ModelId& model);

} // namespace avocet

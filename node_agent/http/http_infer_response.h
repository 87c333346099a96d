#pragma once

#include <string>

#include "messages/status.h"
#include "node_agent/http/http_infer_request.h"
#include "node_agent/http/http_reply.h"
#include "node_agent/inference/answer_room.h"
#include "node_agent/inference/inference.h"

namespace avocet {

/// The answer of a successful inference; `room` is asked before its text grows. Binary outputs are not copied: `answer`
/// must outlive the reply. kInvalidArgument for an output that JSON cannot hold (FP16, BF16) and that was not asked for
/// in binary; the errors of `room`.
Result<HttpReply> EncodeInferResponse(const HttpInferRequest& request, const std::string& model_name,
                                      const InferenceAnswer& answer, AnswerRoom& room);

/// Bytes of outputs that have to be written as JSON or searched for classes: what encoding will cost.
size_t BytesToEncode(const HttpInferRequest& request, const InferenceAnswer& answer);

} // namespace avocet

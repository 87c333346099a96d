#pragma once

#include <string_view>

#include "node_agent/http/http_reply.h"
#include "node_agent/http/http_routes.h"
#include "node_agent/inference/inference_core.h"

namespace avocet {

/// The answer to a request that asks about the node and its applications; 500 for
/// requests that are not questions (inference, metrics).
HttpReply AnswerQuestion(const InferenceCore& core, const HttpRoute& route);

/// Why `target` leads nowhere: the error of an HttpMatch whose status is not 200.
HttpReply AnswerMismatch(int status, std::string_view target);

} // namespace avocet

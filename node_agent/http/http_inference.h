#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/http/http_infer_request.h"
#include "node_agent/http/http_reply.h"
#include "node_agent/http/http_routes.h"
#include "node_agent/inference/inference.h"
#include "node_agent/inference/inference_core.h"

namespace avocet {

/// One POST .../infer from the complete body to the answer, in this order: Open, Decode, Begin, (ready),
/// Encode, End. Used by one thread at a time; Decode and Encode may be left to another one. The body must
/// outlive it. Every object must be ended.
class HttpInference {
public:
  HttpInference(InferenceCore& core, MonotonicTime received, const HttpInferBody& body)
      : core_(core), inference_(core, received), body_(body) {}

  Status Open(const HttpRoute& route);
  bool is_long_to_decode() const; ///< longer than a thread with other connections should be busy
  /// What it takes beside the body is reserved in `lease`.
  void Decode(ByteBudget::Lease& lease);
  /// As Inference::Begin; also what Decode found.
  Result<InferenceProgress> Begin(std::function<void()> ready);
  void Cancel() { inference_.Cancel(); }

  // From `ready` or kReady on:
  bool is_long_to_encode(HttpCoding coding) const;
  /// The answer, good or bad, a good one with classes and compressed by `coding`; binary outputs that are not
  /// compressed stay here. What it takes is reserved in `lease`; without room it is an error.
  void Encode(HttpCoding coding, ByteBudget::Lease& lease);
  /// What Encode made; takes note of it. `reply` may be used until this object dies.
  HttpReply End();
  /// The request ended otherwise.
  HttpReply Fail(const Status& status);

private:
  Result<HttpInferRequest> DecodeRaw() const;
  Result<HttpReply> MakeReply(HttpCoding coding, ByteBudget::Lease& lease);

  InferenceCore& core_;
  Inference inference_;
  const HttpInferBody body_;
  std::string name_;
  std::optional<Result<HttpInferRequest>> request_;
  std::vector<Tensor> classified_; ///< which the reply may point into
  std::optional<Result<HttpReply>> reply_;
};

} // namespace avocet

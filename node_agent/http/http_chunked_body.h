#pragma once

#include <cstddef>

#include <boost/beast/core/flat_buffer.hpp>

#include "messages/status.h"
#include "node_agent/http/http_body.h"
#include "node_agent/http/http_head.h"
#include "node_agent/http/http_options.h"
#include "node_agent/inference/byte_budget.h"

namespace avocet {

/// Puts a chunked body (RFC 9112, 7.1) together as it comes. Memory grows with what has come, never with what a chunk
/// says that it will have. Extensions and trailers are read over.
class HttpChunkedBody {
public:
  /// `parser` has read the head; all three outlive this. `json_bytes`: as of HttpBody.
  HttpChunkedBody(HttpRequestParser& parser, const HttpLimits& limits, ByteBudget::Lease& lease, size_t json_bytes);

  /// Takes what belongs to the body off the buffer; true once that was all. kResourceExhausted: longer than
  /// `max_body_bytes`, said as soon as a chunk's size tells so; kUnavailable: more than the budget has;
  /// kInvalidArgument: no chunks, or more than `max_header_bytes` between them. Nothing can follow an error.
  Result<bool> Put(boost::beast::flat_buffer& buffer);

  /// Only once, when all came.
  HttpBody Take();

private:
  Status Grow();
  void OfferRoom();

  HttpRequestParser& parser_;
  const HttpLimits& limits_;
  ByteBudget::Lease& lease_;
  const size_t json_bytes_;
  HttpBody body_; ///< with room behind what came
  size_t have_ = 0;
  bool has_begun_ = false;
};

} // namespace avocet

#pragma once

#include <cstddef>

#include <boost/beast/core/flat_buffer.hpp>

#include "messages/status.h"
#include "node_agent/http/http_body.h"
#include "node_agent/http/http_head.h"
#include "node_agent/inference/byte_budget.h"

namespace avocet {

/// Puts a chunked body (RFC 9112, 7.1) together as it comes. Memory grows with what has come, never with what a chunk
/// says that it will have. Extensions and trailers are read over.
class HttpChunkedBody {
public:
  struct Bounds {
    size_t body = 0;    ///< bytes; the parser's own limit must be the same
    size_t between = 0; ///< bytes of sizes, extensions and trailers in one piece
  };
  /// `parser` has read the head; it and `lease` outlive this. `json_bytes`: as of HttpBody.
  HttpChunkedBody(HttpRequestParser& parser, const Bounds& bounds, ByteBudget::Lease& lease, size_t json_bytes);

  /// Takes what belongs to the body off the buffer; true once that was all. kResourceExhausted: longer than
  /// the bound, said as soon as a chunk's size tells so; kUnavailable: more than the budget has;
  /// kInvalidArgument: no chunks, or too much between them. Nothing can follow an error.
  Result<bool> Put(boost::beast::flat_buffer& buffer);

  /// Only once, when all came.
  HttpBody Take();

private:
  Status Grow();
  void OfferRoom();

  HttpRequestParser& parser_;
  const Bounds bounds_;
  ByteBudget::Lease& lease_;
  const size_t json_bytes_;
  HttpBody body_; ///< with room behind what came
  size_t have_ = 0;
  bool has_begun_ = false;
};

} // namespace avocet

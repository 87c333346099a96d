#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <boost/beast/core/flat_buffer.hpp>

#include "messages/status.h"
#include "node_agent/http/http_body.h"
#include "node_agent/http/http_chunked_body.h"
#include "node_agent/http/http_head.h"
#include "node_agent/http/http_options.h"
#include "node_agent/inference/byte_budget.h"

namespace avocet {

/// Takes in the body of one request after another, within the limits and the budget. Its lease covers the answers, too.
/// A body of known length is read into its place; a chunked one comes through the buffer.
class HttpBodyReader {
public:
  HttpBodyReader(const HttpLimits& limits, ByteBudget& budget) : limits_(limits), lease_(budget) {}

  /// With what came along with the head, which must outlive the body. kUnavailable: more than the budget has; the
  /// errors of TakeChunks.
  Status Begin(HttpHeadReader& head, boost::beast::flat_buffer& buffer);

  bool is_complete() const { return !chunks_ && missing_bytes() == 0; }
  bool is_chunked() const { return chunks_.has_value(); } ///< and not complete
  /// Where a body of known length goes on; Took says how many bytes came there.
  std::span<std::byte> missing() { return body_.bytes().subspan(have_); }
  void Took(size_t bytes) { have_ += bytes; }
  /// What of a chunked body is in the buffer. As HttpChunkedBody::Put, or kInvalidArgument for the header's length of
  /// the binary extension.
  Status TakeChunks(boost::beast::flat_buffer& buffer);

  // Once it is complete:

  /// The body as it was before it was compressed, within the same bounds. May be left to another thread.
  Status Inflate();
  std::span<const std::byte> bytes() const { return body_.bytes(); }

  ByteBudget::Lease& lease() { return lease_; }
  /// The answer is sent: frees the body.
  void End();

private:
  size_t missing_bytes() const { return body_.bytes().size() - have_; }
  Status CheckJsonLength(size_t bytes) const;

  const HttpLimits& limits_;
  ByteBudget::Lease lease_;
  HttpBody body_;
  size_t have_ = 0; ///< bytes of the body that came
  HttpCoding coding_ = HttpCoding::kIdentity;
  std::optional<size_t> json_bytes_;
  std::optional<HttpChunkedBody> chunks_;
};

} // namespace avocet

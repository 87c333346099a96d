#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>

#include "messages/status.h"
#include "node_agent/http/http_body.h"
#include "node_agent/http/http_chunked_body.h"
#include "node_agent/http/http_head.h"
#include "node_agent/http/http_options.h"
#include "node_agent/inference/byte_budget.h"

namespace avocet {

/// Takes in the body of one request after another, within the limits and the budget. Its lease covers the answers, too.
/// A body of known length is read into its place; a chunked one comes through the buffer. Memory is reserved for what
/// has come, whatever length was announced.
class HttpBodyReader {
public:
  /// `client` may be null: the budget's share that the bodies are counted for.
  HttpBodyReader(const HttpLimits& limits, ByteBudget& budget, std::shared_ptr<BudgetShare> client = nullptr)
      : limits_(limits), budget_(budget), lease_(budget, std::move(client)) {}

  /// With what came along with the head, which must outlive the body. kResourceExhausted: longer than `most`, or than
  /// the budget can ever hold; the errors of Took and TakeChunks.
  Status Begin(HttpHeadReader& head, boost::beast::flat_buffer& buffer, uint64_t most);

  bool is_complete() const { return !chunks_ && missing_bytes() == 0; }
  bool is_chunked() const { return chunks_.has_value(); } ///< and not complete
  /// Where a body of known length goes on; Took says how many bytes came there.
  std::span<std::byte> missing() { return body_.bytes().subspan(have_); }
  /// kUnavailable: more than the budget has. Nothing can follow an error.
  Status Took(size_t bytes);
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
  size_t missing_bytes() const { return length_ - have_; }
  Status CheckJsonLength(size_t bytes) const;

  const HttpLimits& limits_;
  ByteBudget& budget_;
  ByteBudget::Lease lease_;
  HttpBody body_;     ///< has room for all of a short body, at first for the beginning of a long one
  size_t length_ = 0; ///< of the body, once it is known
  size_t have_ = 0;   ///< bytes of the body that came
  HttpCoding coding_ = HttpCoding::kIdentity;
  std::optional<size_t> json_bytes_;
  std::optional<HttpChunkedBody> chunks_;
};

} // namespace avocet

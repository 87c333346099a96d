#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "messages/status.h"
#include "node_agent/http/http_options.h"
#include "node_agent/http/http_reply.h"
#include "node_agent/http/http_routes.h"
#include "node_agent/inference/http_coding.h"

namespace avocet {

inline constexpr std::string_view kWrongJsonLength =
    "Inference-Header-Content-Length must be a number up to the body's length";

/// kResourceExhausted.
Status BodyTooLarge(uint64_t most);

/// What a request's head says, once it was checked.
struct HttpRequestHead {
  HttpMatch match;
  size_t body_bytes = 0;
  bool is_chunked = false; ///< `body_bytes` is not known yet
  /// Bytes of JSON before the raw tensors, after decompression; nullopt: all is JSON. <= body_bytes where that is
  /// known.
  std::optional<size_t> json_bytes;
  HttpCoding coding = HttpCoding::kIdentity;        ///< of the body
  HttpCoding answer_coding = HttpCoding::kIdentity; ///< that the client prefers
  bool keeps_alive = true;
  bool is_http10 = false;
  bool is_head = false;          ///< HEAD: the answer to a GET, without its body
  bool expects_continue = false; ///< the client waits for 100 before it sends the body
};

using HttpRequestParser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

/// Reads the head of one request from the bytes as they come.
class HttpHeadReader {
public:
  HttpHeadReader(HttpSurface surface, const HttpLimits& limits);

  enum class Progress { kNeedsMore, kDone, kRefused };
  /// Takes what belongs to the head off the buffer.
  Progress Put(boost::beast::flat_buffer& buffer);

  /// Only after kDone.
  const HttpRequestHead& head() const { return head_; }
  std::string target() const; ///< as it was sent
  /// Where a chunked body goes on.
  HttpRequestParser& parser() { return parser_; }
  /// Only after kRefused; the rest of the connection cannot be understood.
  HttpReply& refusal() { return refusal_; }

private:
  Progress Refuse(HttpReply reply);
  Progress Check();
  Progress CheckTransfer();

  const HttpSurface surface_;
  const HttpLimits& limits_;
  HttpRequestParser parser_;
  HttpRequestHead head_;
  HttpReply refusal_;
  size_t taken_ = 0; ///< bytes of the head that the parser has
};

} // namespace avocet

#include "node_agent/http/http_head.h"

#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include <boost/beast/core/string.hpp>

namespace avocet {
namespace {

namespace http = boost::beast::http;

std::optional<uint64_t> ParseCount(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view View(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

} // namespace

Status BodyTooLarge(uint64_t most) {
  return ResourceExhausted("the body is longer than " + std::to_string(most) + " bytes");
}

HttpHeadReader::HttpHeadReader(HttpSurface surface, const HttpLimits& limits) : surface_(surface), limits_(limits) {
  // Beast's own limit is not exact, as it begins anew behind the request line: Put has one of its own.
  parser_.header_limit(static_cast<uint32_t>(2 * limits.max_header_bytes));
  parser_.body_limit(limits.max_body_bytes);
}

HttpHeadReader::Progress HttpHeadReader::Put(boost::beast::flat_buffer& buffer) {
  boost::system::error_code error;
  const size_t taken = parser_.put(buffer.data(), error);
  buffer.consume(taken);
  taken_ += taken;
  const bool needs_more = error == http::error::need_more;

  // What is not the whole head yet is all of the buffer, and at least a byte will follow.
  if (taken_ + (needs_more ? buffer.size() + 1 : 0) > limits_.max_header_bytes || error == http::error::header_limit)
    return Refuse(ErrorReply(431, "the header is longer than " + std::to_string(limits_.max_header_bytes) + " bytes"));
  if (needs_more) return Progress::kNeedsMore;
  if (error == http::error::body_limit) return Refuse(ErrorReply(BodyTooLarge(limits_.max_body_bytes)));
  if (error) return Refuse(ErrorReply(400, "malformed HTTP: " + error.message()));
  return parser_.is_header_done() ? Check() : Progress::kNeedsMore;
}

std::string HttpHeadReader::target() const {
  return std::string(View(parser_.get().target()));
}

HttpHeadReader::Progress HttpHeadReader::Refuse(HttpReply reply) {
  refusal_ = std::move(reply);
  return Progress::kRefused;
}

/// Any other coding would leave the parser without an end of the body: what follows would be taken for a request.
HttpHeadReader::Progress HttpHeadReader::CheckTransfer() {
  const auto& fields = parser_.get();
  head_.is_chunked = parser_.chunked();
  if (fields.find(http::field::transfer_encoding) == fields.end()) return Progress::kDone;
  if (!boost::beast::iequals(fields[http::field::transfer_encoding], "chunked"))
    return Refuse(ErrorReply(501, "the Transfer-Encoding must be chunked, nothing else"));
  if (fields.version() < 11) return Refuse(ErrorReply(400, "malformed HTTP: chunked in HTTP/1.0"));
  return Progress::kDone;
}

HttpHeadReader::Progress HttpHeadReader::Check() {
  const auto& fields = parser_.get();
  if (const Progress transfer = CheckTransfer(); transfer != Progress::kDone) return transfer;

  const auto coding = ParseCoding(View(fields[http::field::content_encoding]));
  if (!coding) return Refuse(ErrorReply(415, "the Content-Encoding must be gzip, deflate or identity"));

  // Refused before a byte of the body is read: the client gets its answer while it still sends.
  const uint64_t length = parser_.content_length().value_or(0);
  if (length > limits_.max_body_bytes) return Refuse(ErrorReply(BodyTooLarge(limits_.max_body_bytes)));

  const auto json_length = View(fields["Inference-Header-Content-Length"]);
  const auto json_bytes = ParseCount(json_length);
  // A body that is compressed or chunked has no known length yet; HttpBodyReader checks once it has.
  const bool is_known = *coding == HttpCoding::kIdentity && !head_.is_chunked;
  const uint64_t most = is_known ? length : limits_.max_body_bytes;
  if (!json_length.empty() && (!json_bytes || *json_bytes > most)) return Refuse(ErrorReply(400, kWrongJsonLength));

  head_.is_head = fields.method() == http::verb::head;
  head_.match = MatchRoute(surface_, head_.is_head ? "GET" : View(fields.method_string()), View(fields.target()));

  head_.body_bytes = static_cast<size_t>(length);
  head_.json_bytes = json_bytes;
  head_.coding = *coding;
  head_.answer_coding = PreferredCoding(View(fields[http::field::accept_encoding]));
  head_.keeps_alive = fields.keep_alive();
  head_.is_http10 = fields.version() < 11;
  head_.expects_continue = boost::beast::iequals(fields[http::field::expect], "100-continue");
  return Progress::kDone;
}

} // namespace avocet

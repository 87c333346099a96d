#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"
#include "node_agent/inference/http_coding.h"

namespace avocet {

/// One HTTP answer: JSON (or text), and behind it tensors that somebody else owns.
struct HttpReply {
  int status = 200;
  std::string text;                              ///< JSON unless `content_type` says otherwise
  std::vector<std::span<const std::byte>> tails; ///< raw tensors, in order
  bool has_binary = false; ///< tensors follow: the answer begins with the header of the binary extension,
  size_t json_bytes = 0;   ///< which has so many bytes, before compression
  HttpCoding coding = HttpCoding::kIdentity;
  std::string_view content_type = "application/json";

  size_t size() const;
};

/// Triton's code for a status: 400, 404, 500, 501, 503; 413 for a bound, 403 for denied.
int HttpStatusOf(StatusCode code);

/// {"error": text}.
HttpReply ErrorReply(int status, std::string_view text);
HttpReply ErrorReply(const Status& status);

/// The same answer compressed, in one piece.
Result<HttpReply> Compressed(HttpReply reply, HttpCoding coding);

struct HttpHead {
  bool keep_alive = true;
  bool is_http10 = false;
};
/// Status line and fields of a reply, up to and with the empty line. 503 carries Retry-After.
std::string HeadOf(const HttpReply& reply, const HttpHead& head);

} // namespace avocet

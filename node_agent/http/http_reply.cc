#include "node_agent/http/http_reply.h"

#include <array>
#include <numeric>
#include <utility>

#include "messages/text.h"
#include "node_agent/http/json_writer.h"

namespace avocet {
namespace {

std::string_view ReasonOf(int status) {
  static constexpr std::array kReasons{std::pair{200, "OK"},
                                       std::pair{400, "Bad Request"},
                                       std::pair{403, "Forbidden"},
                                       std::pair{404, "Not Found"},
                                       std::pair{405, "Method Not Allowed"},
                                       std::pair{413, "Payload Too Large"},
                                       std::pair{415, "Unsupported Media Type"},
                                       std::pair{417, "Expectation Failed"},
                                       std::pair{431, "Request Header Fields Too Large"},
                                       std::pair{500, "Internal Server Error"},
                                       std::pair{501, "Not Implemented"},
                                       std::pair{503, "Service Unavailable"}};
  for (const auto& [code, reason] : kReasons)
    if (code == status) return reason;
  return "Unknown";
}

} // namespace

size_t HttpReply::size() const {
  return std::accumulate(tails.begin(), tails.end(), text.size(),
                         [](size_t sum, const auto& tail) { return sum + tail.size(); });
}

int HttpStatusOf(StatusCode code) {
  // 503 carries Retry-After, so whatever may succeed later is one.
  switch (code) {
  case StatusCode::kOk:
    return 200;
  case StatusCode::kNotFound:
    return 404;
  case StatusCode::kUnavailable:
  case StatusCode::kDeadlineExceeded:
  case StatusCode::kCancelled:
    return 503;
  case StatusCode::kDenied:
    return 403;
  case StatusCode::kUnsupported:
    return 501;
  case StatusCode::kResourceExhausted:
    return 413;
  case StatusCode::kCorruption:
  case StatusCode::kInternal:
    return 500;
  case StatusCode::kInvalidArgument:
  case StatusCode::kAlreadyExists:
  case StatusCode::kRejected:
    break;
  }
  return 400;
}

HttpReply ErrorReply(int status, std::string_view text) {
  HttpReply reply;
  reply.status = status;
  StringSink sink{reply.text};
  JsonWriter json(sink);
  json.StartObject();
  json.Key("error");
  json.Text(ToText(text));
  json.EndObject();
  return reply;
}

HttpReply ErrorReply(const Status& status) {
  return ErrorReply(HttpStatusOf(status.code()), status.message());
}

Result<HttpReply> Compressed(HttpReply reply, HttpCoding coding) {
  std::vector<std::span<const std::byte>> parts{std::as_bytes(std::span(reply.text))};
  parts.insert(parts.end(), reply.tails.begin(), reply.tails.end());
  AVOCET_ASSIGN_OR_RETURN(reply.text, Deflate(coding, parts));
  reply.tails.clear();
  reply.coding = coding;
  return reply;
}

std::string HeadOf(const HttpReply& reply, const HttpHead& head) {
  std::string text;
  text.reserve(256);
  text.append("HTTP/1.1 ").append(std::to_string(reply.status)).append(" ").append(ReasonOf(reply.status));
  text.append("\r\nContent-Type: ").append(reply.has_binary ? "application/octet-stream" : reply.content_type);
  text.append("\r\nContent-Length: ").append(std::to_string(reply.size()));
  if (reply.has_binary) text.append("\r\nInference-Header-Content-Length: ").append(std::to_string(reply.json_bytes));
  if (reply.coding != HttpCoding::kIdentity) text.append("\r\nContent-Encoding: ").append(ToString(reply.coding));
  if (reply.status == 503) text.append("\r\nRetry-After: 1");
  if (!head.keep_alive) text.append("\r\nConnection: close");
  if (head.keep_alive && head.is_http10) text.append("\r\nConnection: keep-alive");
  return text.append("\r\n\r\n");
}

} // namespace avocet

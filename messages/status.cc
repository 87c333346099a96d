#include "messages/status.h"

namespace avocet {

std::string_view ToString(StatusCode code) {
  switch (code) {
  case StatusCode::kOk:
    return "ok";
  case StatusCode::kInvalidArgument:
    return "invalid_argument";
  case StatusCode::kNotFound:
    return "not_found";
  case StatusCode::kAlreadyExists:
    return "already_exists";
  case StatusCode::kRejected:
    return "rejected";
  case StatusCode::kUnavailable:
    return "unavailable";
  case StatusCode::kDeadlineExceeded:
    return "deadline_exceeded";
  case StatusCode::kCancelled:
    return "cancelled";
  case StatusCode::kDenied:
    return "denied";
  case StatusCode::kUnsupported:
    return "unsupported";
  case StatusCode::kResourceExhausted:
    return "resource_exhausted";
  case StatusCode::kCorruption:
    return "corruption";
  case StatusCode::kInternal:
    return "internal";
  }
  return "unknown";
}

std::string Status::ToString() const {
  std::string text(avocet::ToString(code_));
  return ok() ? text : text + ": " + message_;
}

Status Status::WithContext(std::string_view prefix) const {
  return ok() ? *this : Status(code_, std::string(prefix) + ": " + message_);
}

Status InvalidArgument(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}
Status NotFound(std::string message) {
  return {StatusCode::kNotFound, std::move(message)};
}
Status AlreadyExists(std::string message) {
  return {StatusCode::kAlreadyExists, std::move(message)};
}
Status Rejected(std::string message) {
  return {StatusCode::kRejected, std::move(message)};
}
Status Unavailable(std::string message) {
  return {StatusCode::kUnavailable, std::move(message)};
}
Status DeadlineExceeded(std::string message) {
  return {StatusCode::kDeadlineExceeded, std::move(message)};
}
Status Cancelled(std::string message) {
  return {StatusCode::kCancelled, std::move(message)};
}
Status Denied(std::string message) {
  return {StatusCode::kDenied, std::move(message)};
}
Status Unsupported(std::string message) {
  return {StatusCode::kUnsupported, std::move(message)};
}
Status ResourceExhausted(std::string message) {
  return {StatusCode::kResourceExhausted, std::move(message)};
}
Status Corruption(std::string message) {
  return {StatusCode::kCorruption, std::move(message)};
}
Status Internal(std::string message) {
  return {StatusCode::kInternal, std::move(message)};
}

} // namespace avocet

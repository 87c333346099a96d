#include "node_agent/grpc/inference_status.h"

#include "messages/text.h"

namespace avocet {
namespace {

// A status travels in the trailers, which clients bound at 8 KiB, percent-encoded.
constexpr size_t kMaxStatusBytes = 1024;

grpc::StatusCode ToGrpcCode(StatusCode code) {
  // Clients retry UNAVAILABLE, so only what may succeed later becomes that.
  switch (code) {
  case StatusCode::kOk:
    return grpc::StatusCode::OK;
  case StatusCode::kInvalidArgument:
    return grpc::StatusCode::INVALID_ARGUMENT;
  case StatusCode::kNotFound:
    return grpc::StatusCode::NOT_FOUND;
  case StatusCode::kAlreadyExists:
    return grpc::StatusCode::ALREADY_EXISTS;
  case StatusCode::kRejected:
    return grpc::StatusCode::FAILED_PRECONDITION;
  case StatusCode::kUnavailable:
    return grpc::StatusCode::UNAVAILABLE;
  case StatusCode::kDeadlineExceeded:
    return grpc::StatusCode::DEADLINE_EXCEEDED;
  case StatusCode::kCancelled:
    return grpc::StatusCode::CANCELLED;
  case StatusCode::kDenied:
    return grpc::StatusCode::PERMISSION_DENIED;
  case StatusCode::kUnsupported:
    return grpc::StatusCode::UNIMPLEMENTED;
  case StatusCode::kResourceExhausted:
    return grpc::StatusCode::RESOURCE_EXHAUSTED;
  case StatusCode::kCorruption:
  case StatusCode::kInternal:
    return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::UNKNOWN;
}

} // namespace

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {ToGrpcCode(status.code()), ToText(status.message(), kMaxStatusBytes)};
}

} // namespace avocet

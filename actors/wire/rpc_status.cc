#include "actors/wire/rpc_status.h"

#include <string>

namespace avocet {
namespace {

struct Pair {
  StatusCode ours;
  grpc::StatusCode theirs;
};

/// The nearest gRPC code of each of ours; in the other direction the first match counts.
constexpr Pair kCodes[] = {
    {StatusCode::kOk, grpc::StatusCode::OK},
    {StatusCode::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT},
    {StatusCode::kNotFound, grpc::StatusCode::NOT_FOUND},
    {StatusCode::kAlreadyExists, grpc::StatusCode::ALREADY_EXISTS},
    {StatusCode::kRejected, grpc::StatusCode::FAILED_PRECONDITION},
    {StatusCode::kUnavailable, grpc::StatusCode::UNAVAILABLE},
    {StatusCode::kDeadlineExceeded, grpc::StatusCode::DEADLINE_EXCEEDED},
    {StatusCode::kCancelled, grpc::StatusCode::CANCELLED},
    {StatusCode::kDenied, grpc::StatusCode::PERMISSION_DENIED},
    {StatusCode::kDenied, grpc::StatusCode::UNAUTHENTICATED},
    {StatusCode::kUnsupported, grpc::StatusCode::UNIMPLEMENTED},
    {StatusCode::kResourceExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
    {StatusCode::kCorruption, grpc::StatusCode::DATA_LOSS},
    {StatusCode::kInternal, grpc::StatusCode::INTERNAL},
};

} // namespace

grpc::Status ToRpcStatus(const Status& status) {
  for (const auto& pair : kCodes) {
    if (pair.ours == status.code()) return {pair.theirs, status.message()};
  }
  return {grpc::StatusCode::UNKNOWN, status.message()};
}

Status FromRpcStatus(const grpc::Status& status) {
  if (status.ok()) return {};
  for (const auto& pair : kCodes) {
    if (pair.theirs == status.error_code()) return {pair.ours, status.error_message()};
  }
  return Internal(status.error_message());
}

} // namespace avocet

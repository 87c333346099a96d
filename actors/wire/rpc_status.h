#pragma once

#include <grpcpp/support/status.h>

#include "messages/status.h"

namespace avocet {

/// A Status as a gRPC status: one code for one code, so that FromRpcStatus gives back what ToRpcStatus was
/// given. Codes that only gRPC has become the nearest of ours.
grpc::Status ToRpcStatus(const Status& status);
Status FromRpcStatus(const grpc::Status& status);

} // namespace avocet

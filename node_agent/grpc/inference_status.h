#pragma once

#include <grpcpp/support/status.h>

#include "messages/status.h"

namespace avocet {

/// The status as clients of the protocol see it; its text is cut to what a trailer holds.
grpc::Status ToGrpc(const Status& status);

} // namespace avocet

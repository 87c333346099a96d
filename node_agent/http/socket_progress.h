#pragma once

#include <cstdint>

namespace avocet {

/// What TCP carried on a connection since it began, whatever of it lies in our kernel's buffers.
struct SocketProgress {
  uint64_t received = 0;     ///< bytes that came, in order
  uint64_t acknowledged = 0; ///< bytes that the other side has taken
};
/// Zeroes for what is no TCP connection, or not any more.
SocketProgress ProgressOf(int socket);

} // namespace avocet

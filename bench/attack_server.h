#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace avocet::bench {

/// The inference endpoints in a process of their own, with two applications on a device that takes no time: "small"
/// answers 4 KiB, "large" as many bytes as its input (INT64[1]) says.
struct AttackedServer {
  pid_t process = -1;
  int keep_alive = -1; ///< the server ends when this is closed
  std::string rest, grpc;

  uint64_t ResidentBytes() const;
};

/// To be called before the process has threads. Ends the program where it fails.
AttackedServer StartAttackedServer();

} // namespace avocet::bench

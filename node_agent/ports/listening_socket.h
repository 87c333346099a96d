#pragma once

#include <string>
#include <utility>
#include <vector>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// A descriptor that is closed with this. Movable.
class OwnedDescriptor {
public:
  explicit OwnedDescriptor(int fd = -1) : fd_(fd) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
  ~OwnedDescriptor();

  int get() const { return fd_; }
  /// Gives it away.
  int Release() { return std::exchange(fd_, -1); }
  bool ok() const { return fd_ >= 0; }

private:
  int fd_;
};

struct ListeningSockets {
  std::string address; ///< with the real port
  std::vector<OwnedDescriptor> sockets;
};

/// Listens on "host:port", as gRPC does: on every address of a name, "0.0.0.0" and "[::]" mean IPv4 and IPv6 alike.
/// Port 0 is ephemeral. The port is not shared with another process. Sockets do not block, accepted ones send at once
/// (TCP_NODELAY) and end when what they sent is not acknowledged within `unacknowledged`.
/// kInvalidArgument: malformed, or a host that is not known. kUnavailable: in use or not allowed.
Result<ListeningSockets> ListenOn(const std::string& address, Duration unacknowledged);

} // namespace avocet

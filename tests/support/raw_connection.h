#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace avocet {

/// A TCP connection that sends what it is told, from an address of 127.0.0.0/8. Waits are bounded by a minute.
class RawConnection {
public:
  /// `to`: "127.x.y.z:port". Not open when there is no connection.
  explicit RawConnection(const std::string& to, const std::string& from = "127.0.0.1")
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{60, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const size_t colon = to.rfind(':');
    const sockaddr_in source = At(from, 0);
    const sockaddr_in peer = At(to.substr(0, colon), std::stoi(to.substr(colon + 1)));
    is_open_ = bind(socket_, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0 &&
               connect(socket_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0;
  }
  RawConnection(RawConnection&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), is_open_(std::exchange(other.is_open_, false)) {}
  RawConnection& operator=(RawConnection&&) = delete;
  ~RawConnection() {
    if (socket_ >= 0) close(socket_);
  }

  bool is_open() const { return is_open_; }
  bool Send(std::string_view bytes) const {
    return send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// What comes next; empty when the peer closed or said nothing for a minute.
  std::string Receive() const {
    char bytes[4096];
    const ssize_t size = recv(socket_, bytes, sizeof bytes, 0);
    return size > 0 ? std::string(bytes, static_cast<size_t>(size)) : std::string();
  }
  /// Reads until the peer closes; false when it does not.
  bool IsClosedByPeer() const {
    char bytes[4096];
    ssize_t size = 1;
    while (size > 0)
      size = recv(socket_, bytes, sizeof bytes, 0);
    return size == 0 || errno == ECONNRESET;
  }

private:
  static sockaddr_in At(const std::string& host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    return address;
  }

  int socket_;
  bool is_open_ = false;
};

/// Many connections that say nothing, until they are destroyed.
inline std::vector<RawConnection> Flood(const std::string& to, const std::string& from, int count) {
  std::vector<RawConnection> all;
  for (int i = 0; i < count; ++i)
    all.emplace_back(to, from);
  return all;
}

/// How an HTTP/2 client begins, with empty settings.
inline std::string Http2Greeting() {
  return {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33};
}

} // namespace avocet

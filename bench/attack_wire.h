#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace avocet::bench {

/// A TCP connection from a chosen address of 127.0.0.0/8 that gives up when `stop` is set.
class Wire {
public:
  Wire(const std::string& to, const std::string& from, const std::atomic<bool>& stop);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// False once the connection is gone or `stop` is set.
  bool Send(std::string_view bytes);
  /// Up to `most` bytes of what came; empty when nothing came for 50 ms, the connection is gone or `stop` is set.
  std::string Receive(size_t most);
  bool is_open() const { return is_open_ && !stop_; }
  /// Before anything is received: how much the kernel keeps for us.
  void SetReceiveBuffer(int bytes);

private:
  int socket_ = -1;
  bool is_open_ = false;
  const std::atomic<bool>& stop_;
};

// HTTP/2, as far as an attacker needs it (RFC 9113).

std::string Http2Preface(uint32_t initial_window);
std::string Http2Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload);
/// The head of a call of a method of the inference service.
std::string Http2Call(uint32_t stream, std::string_view method);

/// The sender's half of a connection: how much it may send, from the frames that come.
class Http2Windows {
public:
  /// Reads frames; what the peer must be told in return (acknowledgements) is in the result.
  std::string Take(std::string_view bytes);
  /// Bytes of data that may be sent on stream 1 now.
  int64_t room() const { return connection_ < stream_ ? connection_ : stream_; }
  void Sent(int64_t bytes) { connection_ -= bytes, stream_ -= bytes; }

private:
  std::string unread_;
  int64_t connection_ = 65'535, stream_ = 65'535;
  int64_t initial_ = 65'535;
};

} // namespace avocet::bench

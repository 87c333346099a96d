#include "bench/attack_wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace avocet::bench {
namespace {

constexpr int kPatienceMs = 50;

sockaddr_in At(const std::string& host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

uint32_t Number(std::string_view bytes, size_t at, size_t count) {
  uint32_t number = 0;
  for (size_t i = 0; i < count; ++i)
    number = number << 8 | static_cast<uint8_t>(bytes[at + i]);
  return number;
}

std::string Bytes(uint32_t number, int count) {
  std::string text;
  for (int i = count - 1; i >= 0; --i)
    text += static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}

/// HPACK: a literal field that is not indexed, without Huffman's code.
std::string Field(std::string_view name, std::string_view value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + std::string(name) + static_cast<char>(value.size()) +
         std::string(value);
}

constexpr uint8_t kSettings = 4, kPing = 6, kWindowUpdate = 8, kHeaders = 1;
constexpr uint8_t kAck = 1, kEndHeaders = 4;
constexpr uint32_t kInitialWindow = 4; ///< the setting
constexpr size_t kFrameHead = 9;

} // namespace

Wire::Wire(const std::string& to, const std::string& from, const std::atomic<bool>& stop)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), stop_(stop) {
  const size_t colon = to.rfind(':');
  const sockaddr_in source = At(from, 0), peer = At(to.substr(0, colon), std::stoi(to.substr(colon + 1)));
  is_open_ = bind(socket_, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0 &&
             connect(socket_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0;
}

Wire::~Wire() {
  if (socket_ >= 0) close(socket_);
}

void Wire::SetReceiveBuffer(int bytes) {
  setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

bool Wire::Send(std::string_view bytes) {
  while (is_open() && !bytes.empty()) {
    pollfd wait{socket_, POLLOUT, 0};
    if (poll(&wait, 1, kPatienceMs) <= 0) continue;
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) continue;
    is_open_ = sent > 0;
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return is_open();
}

std::string Wire::Receive(size_t most) {
  pollfd wait{socket_, POLLIN, 0};
  if (!is_open() || poll(&wait, 1, kPatienceMs) <= 0) return {};
  std::string bytes(most, '\0');
  const ssize_t came = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (came <= 0) {
    is_open_ = came < 0 && errno == EAGAIN;
    return {};
  }
  bytes.resize(static_cast<size_t>(came));
  return bytes;
}

std::string Http2Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  return Bytes(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         Bytes(stream, 4) + std::string(payload);
}

std::string Http2Preface(uint32_t initial_window) {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
         Http2Frame(kSettings, 0, 0, Bytes(kInitialWindow, 2) + Bytes(initial_window, 4));
}

std::string Http2Call(uint32_t stream, std::string_view method) {
  const std::string head = Field(":method", "POST") + Field(":scheme", "http") +
                           Field(":path", "/inference.GRPCInferenceService/" + std::string(method)) +
                           Field(":authority", "x") + Field("content-type", "application/grpc") +
                           Field("te", "trailers");
  return Http2Frame(kHeaders, kEndHeaders, stream, head);
}

std::string Http2Windows::Take(std::string_view bytes) {
  std::string answer;
  unread_ += bytes;
  while (unread_.size() >= kFrameHead) {
    const size_t length = Number(unread_, 0, 3);
    if (unread_.size() < kFrameHead + length) break;
    const auto type = static_cast<uint8_t>(unread_[3]), flags = static_cast<uint8_t>(unread_[4]);
    const uint32_t stream = Number(unread_, 5, 4);
    const std::string payload = unread_.substr(kFrameHead, length);
    unread_.erase(0, kFrameHead + length);

    if (type == kSettings && (flags & kAck) == 0) {
      for (size_t at = 0; at + 6 <= payload.size(); at += 6) {
        if (Number(payload, at, 2) != kInitialWindow) continue;
        stream_ += Number(payload, at + 2, 4) - initial_;
        initial_ = Number(payload, at + 2, 4);
      }
      answer += Http2Frame(kSettings, kAck, 0, "");
    }
    if (type == kPing && (flags & kAck) == 0) answer += Http2Frame(kPing, kAck, 0, payload);
    if (type == kWindowUpdate) (stream == 0 ? connection_ : stream_) += Number(payload, 0, 4);
  }
  return answer;
}

} // namespace avocet::bench

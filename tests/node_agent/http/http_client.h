#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>

#include "messages/address.h"
#include "tests/support/fake_engine.h"

namespace avocet {

struct HttpAnswer {
  int status = 0; ///< 0: there was none
  std::map<std::string, std::string> fields;
  std::string body;
};

/// A client that shares nothing with the server but bytes: it sends what it is told and reads answers
/// by their Content-Length. All waits are bounded by kPatience.
class HttpClient {
public:
  explicit HttpClient(const std::string& address) {
    const Address to = ParseAddress(address).value();
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    timeval patience{kPatience.count(), 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(to.port);
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_open_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 0;
  }
  ~HttpClient() { Close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void Close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void ShutdownWrite() { ::shutdown(socket_, SHUT_WR); }
  int socket() const { return socket_; }

  /// False when the server does not take it any more.
  bool Send(std::string_view bytes) {
    while (is_open_ && !bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      is_open_ = sent > 0;
      if (is_open_) bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return is_open_;
  }

  /// Status line and fields, without the empty line; empty when the connection ended.
  std::string ReceiveHead() {
    size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadSome()) return {};
    }
    std::string head = unread_.substr(0, end);
    unread_.erase(0, end + 4);
    return head;
  }

  HttpAnswer Receive() {
    HttpAnswer answer;
    const std::string head = ReceiveHead();
    if (head.empty()) return answer;
    Parse(head, answer);
    const auto length = answer.fields.find("content-length");
    const size_t wanted = length == answer.fields.end() ? 0 : std::stoul(length->second);
    while (unread_.size() < wanted) {
      if (!ReadSome()) return {};
    }
    answer.body = unread_.substr(0, wanted);
    unread_.erase(0, wanted);
    return answer;
  }

  HttpAnswer Ask(std::string_view bytes) {
    Send(bytes);
    return Receive();
  }
  HttpAnswer Get(const std::string& path) { return Ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"); }
  HttpAnswer Post(const std::string& path, std::string_view body, const std::string& fields = {}) {
    return Ask(PostText(path, body, fields));
  }
  static std::string PostText(const std::string& path, std::string_view body, const std::string& fields = {}) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
  }

  /// The same in chunks of `piece` bytes.
  static std::string ChunkedText(const std::string& path, std::string_view body, size_t piece,
                                 const std::string& fields = {}) {
    std::ostringstream text;
    text << "POST " << path << " HTTP/1.1\r\nHost: x\r\n" << fields << "Transfer-Encoding: chunked\r\n\r\n" << std::hex;
    for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
      const std::string_view chunk = body.substr(0, piece);
      text << chunk.size() << "\r\n" << chunk << "\r\n";
    }
    text << "0\r\n\r\n";
    return text.str();
  }

  /// True once the server has closed; false when it sends something, or does nothing for kPatience.
  bool AwaitClosed() {
    char byte = 0;
    if (!unread_.empty()) return false;
    const auto bytes = ::recv(socket_, &byte, 1, 0);
    return bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }
  /// How many bytes each recv() returned so far.
  const std::vector<size_t>& reads() const { return reads_; }

private:
  bool ReadSome() {
    char buffer[65536];
    const auto bytes = ::recv(socket_, buffer, sizeof buffer, 0);
    if (bytes <= 0) return false;
    reads_.push_back(static_cast<size_t>(bytes));
    unread_.append(buffer, static_cast<size_t>(bytes));
    return true;
  }

  static void Parse(const std::string& head, HttpAnswer& answer) {
    answer.status = std::stoi(head.substr(head.find(' ') + 1));
    size_t at = head.find("\r\n");
    while (at != std::string::npos) {
      const size_t end = head.find("\r\n", at + 2);
      const std::string line = head.substr(at + 2, end == std::string::npos ? end : end - at - 2);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name)
        c = static_cast<char>(std::tolower(c));
      answer.fields[name] = line.substr(line.find(':') + 2);
      at = end;
    }
  }

  int socket_ = -1;
  bool is_open_ = false;
  std::string unread_;
  std::vector<size_t> reads_;
};

} // namespace avocet

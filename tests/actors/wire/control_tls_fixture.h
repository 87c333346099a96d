#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "actors/actor_system.h"
#include "actors/ask.h"
#include "actors/controller/controller_process.h"
#include "actors/wire/control_client.h"
#include "messages/address.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_authority.h"
#include "tests/support/view_builder.h"

namespace avocet {

using testing::AllOf;
using testing::HasSubstr;

inline constexpr Duration kPatience = std::chrono::seconds(60);

/// What this process logs while this lives.
class LogCapture {
public:
  LogCapture() : sink_(std::make_shared<Sink>()), before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink_));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  /// Waits for a line with all of these in it.
  bool Has(const std::vector<std::string>& parts) const { return sink_->WaitFor(parts); }
  std::string text() const { return sink_->text(); }

private:
  class Sink : public spdlog::sinks::base_sink<std::mutex> {
  public:
    bool WaitFor(const std::vector<std::string>& parts) {
      std::unique_lock lock(lines_mutex_);
      return arrived_.wait_for(lock, kPatience, [&] {
        return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
          return std::all_of(parts.begin(), parts.end(),
                             [&](const auto& part) { return line.find(part) != std::string::npos; });
        });
      });
    }
    std::string text() {
      const std::lock_guard lock(lines_mutex_);
      std::string all;
      for (const auto& line : lines_)
        all += line + "\n";
      return all;
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
      const std::lock_guard lock(lines_mutex_);
      lines_.emplace_back(message.payload.data(), message.payload.size());
      arrived_.notify_all();
    }
    void flush_() override {}

  private:
    std::mutex lines_mutex_;
    std::condition_variable arrived_;
    std::vector<std::string> lines_;
  };

  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> before_;
};

/// A TCP connection that speaks what it is told.
class RawConnection {
public:
  explicit RawConnection(const std::string& address) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(ParseAddress(address)->port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{60, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  ~RawConnection() { close(socket_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  int descriptor() const { return socket_; }
  /// As much as the peer takes.
  void Send(const std::string& bytes) const { EXPECT_NE(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL), 0); }
  /// Until the peer closes; false when it does not.
  bool IsClosedByPeer() const {
    char bytes[4096];
    ssize_t size = 1;
    while (size > 0)
      size = recv(socket_, bytes, sizeof bytes, 0);
    return size == 0 || errno == ECONNRESET;
  }

private:
  int socket_;
};

/// What a TLS client that is not ours gets: true when the server answered its HTTP/2 greeting.
struct RawTls {
  int max_version = TLS1_3_VERSION;
  std::optional<TlsOptions> files; ///< absent: it shows no certificate

  bool IsServed(const RawConnection& connection) const {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_max_proto_version(context.get(), max_version);
    if (files) {
      EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context.get(), files->certificate.c_str()), 1);
      EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context.get(), files->key.c_str(), SSL_FILETYPE_PEM), 1);
    }
    const unsigned char protocol[] = "\x02h2";
    SSL_CTX_set_alpn_protos(context.get(), protocol, sizeof protocol - 1);
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
    SSL_set_fd(tls.get(), connection.descriptor());
    if (SSL_connect(tls.get()) != 1) return false;
    const std::string greeting("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    char answer[64];
    return SSL_write(tls.get(), greeting.data(), static_cast<int>(greeting.size())) > 0 &&
           SSL_read(tls.get(), answer, sizeof answer) > 0;
  }
};

/// A controller on mutual TLS, an authority of its own, and what the process logs.
class ControlTlsTest : public testing::Test {
protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); } // OpenSSL's clients write to closed sockets

  void SetUp() override { Start(authority.Issue(Role::kController, "ctl")); }

  void Start(const TlsOptions& files) {
    ControllerProcessOptions options{.data_dir = dir.path(), .control = {}, .controller = {}};
    options.control.address = "127.0.0.1:0";
    options.control.tls = files;
    options.control.handshake_deadline = handshake_deadline;
    options.control.trust_every = std::chrono::milliseconds(50);
    auto started = ControllerProcess::Start(system, options);
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    process = std::move(*started);
  }

  /// Asks as whoever these certificates say, over a connection of its own.
  template <class Reply, class Message> Result<Reply> Ask(const std::optional<TlsOptions>& tls, Message message) {
    const auto client = ConnectController(system, {.address = process->address(), .deadline = kPatience, .tls = tls});
    return AskAndWait<Reply>(system, client, std::move(message), 2 * kPatience, "client");
  }
  Status Version(const std::optional<TlsOptions>& tls) { return Ask<VersionInfo>(tls, GetVersion{}).status(); }

  void ExpectGoodClientIsServed() { EXPECT_EQ(Version(authority.Issue(Role::kAdmin, "good")), Status()); }
  void ExpectLogged(const std::vector<std::string>& parts) { EXPECT_TRUE(log.Has(parts)) << log.text(); }

  LogCapture log;
  TestAuthority authority;
  TempDir dir;
  Duration handshake_deadline = std::chrono::seconds(60);
  ActorSystemConfig config;
  caf::actor_system system{config};
  std::unique_ptr<ControllerProcess> process;
};

} // namespace avocet

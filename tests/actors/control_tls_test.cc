// The Control service over mutual TLS, with real sockets: who is let in, who is refused and why, and that the server
// goes on.

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
#include "actors/control_client.h"
#include "actors/controller_process.h"
#include "messages/address.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_authority.h"
#include "tests/support/view_builder.h"

namespace avocet::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Duration kPatience = std::chrono::seconds(60);

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

class ControlTlsTest : public ::testing::Test {
protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); } // OpenSSL's clients write to closed sockets

  void SetUp() override { Start(authority.Issue(Role::kController, "ctl")); }

  void Start(const TlsOptions& files) {
    ControllerProcessOptions options{.data_dir = dir.path(), .control = {}, .controller = {}};
    options.control.address = "127.0.0.1:0";
    options.control.tls = files;
    options.control.handshake_deadline = handshake_deadline;
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

TEST_F(ControlTlsTest, AnAdminMayDoEverything) {
  const auto admin = authority.Issue(Role::kAdmin, "ann");
  EXPECT_EQ(Version(admin), Status());
  EXPECT_EQ(Ask<Decision>(admin, ApplyApp{MakeApp("cam", "pose")})->kind, DecisionKind::kReject);
}

TEST_F(ControlTlsTest, AClientMayAskAndChangeNothing) {
  const auto client = authority.Issue(Role::kClient, "dashboard");
  EXPECT_EQ(Version(client), Status());
  EXPECT_TRUE(Ask<AppList>(client, ListApps{}).ok());
  EXPECT_EQ(Ask<Decision>(client, PlanApp{MakeApp("cam", "pose")})->kind, DecisionKind::kReject);
  const auto app = MakeApp("cam", "pose");
  for (const Status& refused :
       {Ask<Decision>(client, ApplyApp{app}).status(), Ask<RemovedApp>(client, RemoveApp{AppId("cam")}).status(),
        Ask<Model>(client, ImportModel{}).status(), Ask<ProfileList>(client, ProfileModel{"pose", {}}).status(),
        Ask<ModelChunk>(client, FetchModel{Sha256(std::string(64, '0')), 0}).status(),
        Ask<ModelChunkStored>(client, PutModelChunk{Sha256(std::string(64, '0')), 0, 1, "x"}).status()}) {
    EXPECT_EQ(refused.code(), StatusCode::kDenied);
    EXPECT_THAT(refused.message(), AllOf(HasSubstr("avocet://client/dashboard"), HasSubstr("role admin")));
  }
}

TEST_F(ControlTlsTest, AnAgentIsRefusedAndBothSidesSayWhy) {
  const auto status = Version(authority.Issue(Role::kAgent, "jetson-1"));
  EXPECT_EQ(status.code(), StatusCode::kDenied);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("avocet://agent/jetson-1"), HasSubstr("admin")));
  ExpectLogged({"call refused", "avocet://agent/jetson-1", "peer=ipv4:127.0.0.1:"});
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, ACertificateOfAnotherAuthorityIsRefused) {
  const TestAuthority other;
  const auto stranger = other.Issue(Role::kAdmin, "eve");
  EXPECT_EQ(Version(stranger).code(), StatusCode::kUnavailable); // it does not trust the server, either
  const RawConnection connection(process->address());
  EXPECT_FALSE((RawTls{.files = stranger}.IsServed(connection)));
  ExpectLogged({"certificate refused", "avocet://admin/eve", "issuer certificate"});
  ExpectLogged({"connection refused", "certificate verify failed"});
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, AnExpiredCertificateIsRefused) {
  authority.now -= std::chrono::hours(48);
  const auto expired = authority.Issue(Role::kAdmin, "late", {.days = 1});
  authority.now += std::chrono::hours(48);
  const auto status = Version(expired);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument); // our own client sees it first
  EXPECT_THAT(status.message(), HasSubstr("expired"));
  const RawConnection connection(process->address());
  EXPECT_FALSE((RawTls{.files = expired}.IsServed(connection)));
  ExpectLogged({"certificate refused", "avocet://admin/late", "certificate has expired"});
  ExpectLogged({"connection refused", "certificate verify failed"});
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, AControllersCertificateIsNoClients) {
  const RawConnection connection(process->address());
  EXPECT_FALSE((RawTls{.files = authority.Issue(Role::kController, "other")}.IsServed(connection)));
  ExpectLogged({"certificate refused", "avocet://controller/other", "purpose"});
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, AClientWithoutCertificateIsRefused) {
  const RawConnection connection(process->address());
  EXPECT_FALSE(RawTls{}.IsServed(connection));
  ExpectLogged({"connection refused", "no certificate"});
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, OlderTlsIsRefused) {
  const auto admin = authority.Issue(Role::kAdmin, "ann");
  const RawConnection good(process->address());
  EXPECT_TRUE((RawTls{.files = admin}.IsServed(good)));
  const RawConnection connection(process->address());
  EXPECT_FALSE((RawTls{.max_version = TLS1_2_VERSION, .files = admin}.IsServed(connection)));
  ExpectLogged({"connection refused", "older than TLS 1.3"});
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, APlaintextClientIsRefused) {
  EXPECT_EQ(Version(std::nullopt).code(), StatusCode::kUnavailable);
  ExpectLogged({"connection refused", "not TLS"});
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, GarbageIsRefused) {
  for (const std::string& bytes :
       {std::string("garbage, garbage, garbage"), std::string(5000, '\xFF'), std::string(64, '\0'),
        std::string("\x16\x03\x01\xFF\xFF", 5) + std::string(70000, 'x'), std::string("GET / HTTP/1.1\r\n\r\n")}) {
    const RawConnection connection(process->address());
    connection.Send(bytes);
    shutdown(connection.descriptor(), SHUT_WR);
    EXPECT_TRUE(connection.IsClosedByPeer());
  }
  ExpectLogged({"connection refused", "not TLS"});
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, AConnectionThatSaysNothingIsClosed) {
  process.reset();
  handshake_deadline = std::chrono::milliseconds(200);
  Start(authority.Issue(Role::kController, "ctl"));
  const RawConnection silent(process->address());
  const RawConnection half(process->address());
  half.Send("\x16\x03\x01");
  EXPECT_TRUE(silent.IsClosedByPeer());
  EXPECT_TRUE(half.IsClosedByPeer());
  ExpectLogged({"connection refused", "handshake not finished in time"});
}

// What our client must not accept behind an address.

TEST_F(ControlTlsTest, AServerWhoseCertificateIsForAnotherHostIsRefused) {
  auto server = ControlServer::Start({.address = "0.0.0.0:0", .tls = authority.Issue(Role::kController, "ctl")}, system,
                                     process->actor());
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  const auto admin = authority.Issue(Role::kAdmin, "ann");
  const auto port = std::to_string(ParseAddress((*server)->address())->port);
  const auto ask = [&](const std::string& host) {
    const auto client = ConnectController(system, {.address = host + ":" + port, .deadline = kPatience, .tls = admin});
    return AskAndWait<VersionInfo>(system, client, GetVersion{}, 2 * kPatience, "client").status();
  };
  EXPECT_EQ(ask("localhost"), Status());
  EXPECT_EQ(ask("127.0.0.1"), Status());
  const Status refused = ask("127.0.0.2"); // the same server, by an address that its certificate does not cover
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("avocet://controller/ctl"), HasSubstr("does not cover '127.0.0.2'"),
                                       HasSubstr("--host 127.0.0.2")));
}

/// A TLS server with this certificate that only shakes hands.
Status AskImpostor(caf::actor_system& system, const TlsOptions& impostor, const TlsOptions& admin) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener, plain, size) + listen(listener, 8) + getsockname(listener, plain, &size), 0);
  const std::string where = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  std::jthread server([&] {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_use_certificate_chain_file(context.get(), impostor.certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), impostor.key.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_set_alpn_select_cb(
        context.get(),
        [](SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned, void*) {
          *out = in + 1; // the first that the client offers
          *out_size = in[0];
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    for (int one = accept(listener, nullptr, nullptr); one >= 0; one = accept(listener, nullptr, nullptr)) {
      const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
      SSL_set_fd(tls.get(), one);
      char byte = 0;
      if (SSL_accept(tls.get()) == 1) SSL_read(tls.get(), &byte, 1);
      close(one);
    }
  });
  const auto client = ConnectController(system, {.address = where, .deadline = kPatience, .tls = admin});
  const Status status = AskAndWait<VersionInfo>(system, client, GetVersion{}, 2 * kPatience, "client").status();
  shutdown(listener, SHUT_RDWR);
  server.join();
  close(listener);
  return status;
}

TEST_F(ControlTlsTest, AnAgentDoesNotPassAsAController) {
  const Status status = AskImpostor(system, authority.Issue(Role::kAgent, "ctl"), authority.Issue(Role::kAdmin, "ann"));
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("avocet://agent/ctl, not a controller"));
}

// Before anything listens or connects.

TEST_F(ControlTlsTest, OnlyAControllersCertificateServes) {
  const auto server = ControlServer::Start({.address = "127.0.0.1:0", .tls = authority.Issue(Role::kAgent, "jetson-1")},
                                           system, process->actor());
  EXPECT_EQ(server.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(server.status().message(), HasSubstr("is the certificate of role agent; here it must be controller"));
}

TEST_F(ControlTlsTest, BeyondLoopbackCertificatesAreNeeded) {
  const auto server = ControlServer::Start({.address = "0.0.0.0:0"}, system, process->actor());
  EXPECT_EQ(server.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(server.status().message(), AllOf(HasSubstr("'0.0.0.0:0' is not loopback"), HasSubstr("[tls]")));
  const auto client = ConnectController(system, {.address = "10.255.255.1:7400", .deadline = kPatience});
  EXPECT_EQ(AskAndWait<VersionInfo>(system, client, GetVersion{}, kPatience, "client").status().code(),
            StatusCode::kInvalidArgument);
  const auto secured = ControlServer::Start({.address = "0.0.0.0:0", .tls = authority.Issue(Role::kController, "ctl")},
                                            system, process->actor());
  EXPECT_TRUE(secured.ok()) << secured.status().ToString();
}

// New files while it runs.

TEST_F(ControlTlsTest, NewFilesAreUsedWithoutARestart) {
  const auto before = authority.Issue(Role::kAdmin, "ann");
  EXPECT_EQ(Version(before), Status());
  authority.Create({.force = true}); // a new authority: the server's files are the old one's
  const auto after = authority.Issue(Role::kAdmin, "ann");
  EXPECT_EQ(Version(after).code(), StatusCode::kUnavailable);
  authority.Issue(Role::kController, "ctl"); // into the files that the server was started with
  EXPECT_EQ(Version(after), Status());
  ExpectLogged({"TLS files reloaded", "name=ctl"});
}

TEST_F(ControlTlsTest, ACertificateThatEndsSoonIsAnnounced) {
  authority.Issue(Role::kController, "ctl", {.days = 29});
  ExpectGoodClientIsServed();
  ExpectLogged({"certificate ends soon", "hours_left=695", "tls issue --force"});
}

TEST_F(ControlTlsTest, ARotatedAuthorityTrustsOldAndNew) {
  const auto old_client = authority.Issue(Role::kAdmin, "old");
  authority.Create({.rotate = true});
  authority.Issue(Role::kController, "ctl");
  // The old client trusts the old authority only until it gets the new ca.pem, as every process does first.
  std::filesystem::copy_file(authority.folder() / "ca.pem", old_client.ca,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(Version(old_client), Status());
  EXPECT_EQ(Version(authority.Issue(Role::kAdmin, "new")), Status());
}

TEST_F(ControlTlsTest, HalfWrittenFilesAreNotUsed) {
  const auto files = authority.Issue(Role::kController, "ctl");
  const auto admin = authority.Issue(Role::kAdmin, "ann");
  const auto key_aside = files.key.string() + ".aside";
  std::filesystem::rename(files.key, key_aside);
  std::filesystem::copy_file(admin.key, files.key); // the key of another certificate
  EXPECT_EQ(Version(admin), Status());
  ExpectLogged({"new TLS files not used", "is not the key of the certificate"});
  std::filesystem::remove(files.key);
  EXPECT_EQ(Version(admin), Status());
  std::filesystem::rename(key_aside, files.key);
  EXPECT_EQ(Version(admin), Status());
  ExpectLogged({"TLS files reloaded"});
}

} // namespace
} // namespace avocet::testing

// The Control service over mutual TLS, with real sockets: who is let in, who is refused and why, and that the server
// goes on.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "node_agent/model_files.h"
#include "tests/actors/wire/control_tls_fixture.h"
#include "tests/support/emulated_text.h"

namespace avocet {
namespace {

TEST_F(ControlTlsTest, AnAdminMayDoEverything) {
  const auto admin = authority.Issue(Role::kAdmin, "ann");
  EXPECT_EQ(Version(admin), Status());
  EXPECT_EQ(Ask<RemovedApp>(admin, RemoveApp{AppId("cam")}).status().code(), StatusCode::kNotFound) << "it was let in";
}

TEST_F(ControlTlsTest, AClientMayAskAndChangeNothing) {
  const auto client = authority.Issue(Role::kClient, "dashboard");
  EXPECT_EQ(Version(client), Status());
  EXPECT_TRUE(Ask<AppList>(client, ListApps{}).ok());
  EXPECT_EQ(Ask<Decision>(client, PlanApp{MakeApp("cam", "pose")}).status().code(), StatusCode::kNotFound)
      << "it was let in; there is no such model";
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
  const Status old = Version(old_client);
  EXPECT_EQ(old, Status()) << old.ToString();
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

TEST_F(ControlTlsTest, AnOpenConnectionEndsWithItsAuthority) {
  const auto admin = authority.Issue(Role::kAdmin, "ann");
  const auto client = ConnectController(system, {.address = process->address(), .deadline = kPatience, .tls = admin});
  const auto version = [&] {
    return AskAndWait<VersionInfo>(system, client, GetVersion{}, 2 * kPatience, "client").status();
  };
  EXPECT_EQ(version(), Status());
  Status ended;
  std::thread watcher(
      [&] { ended = WatchEvents({.address = process->address(), .tls = admin}, 0, [](const Event&) {}, {}); });
  authority.Create({.force = true});
  authority.Issue(Role::kController, "ctl");
  const auto refused = version();
  EXPECT_EQ(refused.code(), StatusCode::kDenied) << "over the connection that it has";
  EXPECT_THAT(refused.message(), HasSubstr("not trusted any more"));
  watcher.join();
  // Refused at its begin, or ended afterwards: that is a race, and either is right.
  EXPECT_TRUE(ended.code() == StatusCode::kDenied || ended.code() == StatusCode::kUnavailable) << ended.ToString();
  ExpectGoodClientIsServed();
}

TEST_F(ControlTlsTest, AClientsWatchesLeaveRoomForAnAdmin) {
  // Each on a thread of its own, which it takes until it is stopped.
  const auto client = authority.Issue(Role::kClient, "dashboard");
  const ClientSeatOptions limits = ControlServerOptions{}.watches;
  std::mutex mutex;
  std::condition_variable changed;
  size_t refused = 0;
  std::vector<std::jthread> watches;
  for (size_t i = 0; i < limits.per_client + 3; ++i) {
    watches.emplace_back([&](const std::stop_token& stop) {
      const Status end = WatchEvents(
          {.address = process->address(), .tls = client}, 0, [](const Event&) {}, stop);
      const std::lock_guard lock(mutex);
      refused += end.code() == StatusCode::kResourceExhausted ? 1 : 0;
      changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, kPatience, [&] { return refused == 3; })) << refused;
  lock.unlock();
  ExpectLogged({"call refused", "avocet://client/dashboard has 8 already"});

  const auto admin = authority.Issue(Role::kAdmin, "ann");
  const std::string bytes = EmulatedText("pose");
  const Sha256 file = Sha256Of(bytes);
  ASSERT_TRUE(Ask<ModelChunkStored>(admin, PutModelChunk{file, 0, bytes.size(), bytes}).ok());
  const Model model{.name = "pose", .variants = {{ModelFormat::kEmulated, file, bytes.size()}}};
  ASSERT_TRUE(Ask<Model>(admin, ImportModel{model}).ok()) << "an event to be heard of";
  std::promise<void> heard;
  std::once_flag once;
  std::jthread watcher([&](const std::stop_token& stop) {
    (void)WatchEvents(
        {.address = process->address(), .tls = admin}, 0,
        [&](const Event&) { std::call_once(once, [&] { heard.set_value(); }); }, stop);
  });
  EXPECT_EQ(heard.get_future().wait_for(kPatience), std::future_status::ready);
}

} // namespace
} // namespace avocet

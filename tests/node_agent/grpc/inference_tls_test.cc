// TLS on both inference endpoints, with a certificate of an authority made for the test.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "inference/grpc_service.grpc.pb.h"
#include "messages/tls/tls_authority.h"
#include "node_agent/grpc/inference_server.h"
#include "node_agent/http/http_server.h"
#include "tests/node_agent/http/http_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

using testing::HasSubstr;

std::string TextOf(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

class InferenceTlsTest : public testing::Test {
protected:
  void SetUp() override {
    const auto now = std::chrono::system_clock::now();
    const auto authority = CreateAuthority({.directory = folder_.path(), .now = now});
    ASSERT_TRUE(authority.ok()) << authority.status().ToString();
    const auto issued = IssueCertificate({.directory = folder_.path(), .identity = {Role::kAgent, "box"}, .now = now});
    ASSERT_TRUE(issued.ok()) << issued.status().ToString();
    files_ = issued->files;
    core_ = std::make_shared<InferenceCore>(InferenceCoreOptions(), std::make_shared<Router>());
    core_->SetReady(true);
  }

  ServerCertificate certificate() const { return {files_.certificate, files_.key}; }

  std::unique_ptr<HttpServer> Http(const std::string& metrics = "") const {
    HttpServerOptions options;
    options.rest_address = "127.0.0.1:0";
    options.metrics_address = metrics;
    options.tls = certificate();
    auto server = HttpServer::Start(options, core_, [](const HttpCounters&) { return std::string("page\n"); });
    EXPECT_TRUE(server.ok()) << server.status().ToString();
    return std::move(*server);
  }

  /// A certificate of another authority in the place of the one that is served.
  std::filesystem::path Renew() {
    const auto now = std::chrono::system_clock::now();
    const auto other = folder_.path() / "other";
    EXPECT_TRUE(CreateAuthority({.directory = other, .now = now}).ok());
    const auto issued = IssueCertificate({.directory = other, .identity = {Role::kAgent, "box"}, .now = now});
    EXPECT_TRUE(issued.ok()) << issued.status().ToString();
    std::filesystem::rename(issued->files.key, files_.key);
    std::filesystem::rename(issued->files.certificate, files_.certificate);
    return issued->files.ca;
  }

  /// A certificate whose key is another one's, as when only one of the two files was copied.
  void CopyHalf() {
    const auto issued = IssueCertificate(
        {.directory = folder_.path(), .identity = {Role::kAgent, "half"}, .now = std::chrono::system_clock::now()});
    ASSERT_TRUE(issued.ok()) << issued.status().ToString();
    std::filesystem::rename(issued->files.certificate, files_.certificate);
  }

  CommandResult Curl(const std::string& url, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"/usr/bin/curl", "-sS", "--max-time", "30"});
    arguments.push_back(url);
    return RunToEnd({.command = arguments, .stderr_file = {}, .environment = {}}, kPatience);
  }

  TempDir folder_;
  TlsOptions files_;
  std::shared_ptr<InferenceCore> core_;
};

TEST_F(InferenceTlsTest, RestIsEncrypted) {
  const auto server = Http();
  const std::string url = "https://" + server->rest_address() + "/v2/health/live";
  const auto said = Curl(url, {"--cacert", files_.ca.string()});
  EXPECT_EQ(said.out, R"({"live":true})") << said.err;
  EXPECT_NE(Curl(url, {}).exit_code, 0) << "a stranger's certificate was believed";
  const auto old = Curl(url, {"--cacert", files_.ca.string(), "--tls-max", "1.1"});
  EXPECT_NE(old.exit_code, 0) << "an old version was spoken";
}

TEST_F(InferenceTlsTest, RestRefusesWhatIsNotEncryptedAndGoesOn) {
  const auto server = Http();
  HttpClient plain(server->rest_address());
  EXPECT_NE(plain.Get("/v2").status, 200);
  const std::string url = "https://" + server->rest_address() + "/v2/health/live";
  EXPECT_EQ(Curl(url, {"--cacert", files_.ca.string()}).exit_code, 0);
}

TEST_F(InferenceTlsTest, RestShowsARenewedCertificateWithoutARestart) {
  const auto server = Http();
  const std::string url = "https://" + server->rest_address() + "/v2/health/live";
  ASSERT_EQ(Curl(url, {"--cacert", files_.ca.string()}).exit_code, 0);
  CopyHalf();
  EXPECT_EQ(Curl(url, {"--cacert", files_.ca.string()}).exit_code, 0) << "half a pair is not used";
  const auto ca = Renew();
  const auto said = Curl(url, {"--cacert", ca.string()});
  EXPECT_EQ(said.out, R"({"live":true})") << said.err;
  EXPECT_NE(Curl(url, {"--cacert", files_.ca.string()}).exit_code, 0) << "the old certificate is still shown";
}

TEST_F(InferenceTlsTest, MetricsBeyondThisMachineAreEncrypted) {
  const auto server = Http("0.0.0.0:0");
  const std::string there = server->metrics_address().replace(0, 7, "127.0.0.1") + "/metrics";
  const auto said = Curl("https://" + there, {"--cacert", files_.ca.string()});
  EXPECT_EQ(said.out, "page\n") << said.err;
  EXPECT_NE(Curl("http://" + there, {}).exit_code, 0);
}

TEST_F(InferenceTlsTest, MetricsOnThisMachineStayPlain) {
  const auto server = Http("127.0.0.1:0");
  EXPECT_EQ(Curl("http://" + server->metrics_address() + "/metrics", {}).out, "page\n");
}

/// The same over gRPC.
class GrpcTlsTest : public InferenceTlsTest {
protected:
  void SetUp() override {
    InferenceTlsTest::SetUp();
    InferenceServerOptions options;
    options.grpc_address = "127.0.0.1:0";
    options.tls = certificate();
    auto server = InferenceServer::Start(options, core_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
  }

  bool IsLive(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    // Channels with equal credentials would share a connection, and no handshake would take place.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    inference::ServerLiveResponse response;
    const auto channel = grpc::CreateCustomChannel(server_->address(), credentials, arguments);
    return inference::GRPCInferenceService::NewStub(channel)->ServerLive(&context, {}, &response).ok();
  }
  bool IsLive(const std::filesystem::path& ca) const { return IsLive(grpc::SslCredentials({TextOf(ca), "", ""})); }

  std::unique_ptr<InferenceServer> server_;
};

TEST_F(GrpcTlsTest, IsEncrypted) {
  EXPECT_TRUE(IsLive(files_.ca));
  EXPECT_FALSE(IsLive(grpc::InsecureChannelCredentials()));
}

TEST_F(GrpcTlsTest, ShowsARenewedCertificateWithoutARestart) {
  ASSERT_TRUE(IsLive(files_.ca));
  CopyHalf();
  EXPECT_TRUE(IsLive(files_.ca)) << "half a pair is not used";
  const auto ca = Renew();
  EXPECT_TRUE(IsLive(ca));
  EXPECT_FALSE(IsLive(files_.ca)) << "the old certificate is still shown";
}

TEST_F(InferenceTlsTest, UnreadableCertificatesAreNamed) {
  InferenceServerOptions options;
  options.grpc_address = "127.0.0.1:0";
  options.tls = ServerCertificate{folder_.path() / "nothing.pem", files_.key};
  EXPECT_THAT(InferenceServer::Start(options, core_).status().message(), HasSubstr("nothing.pem"));
}

} // namespace
} // namespace avocet

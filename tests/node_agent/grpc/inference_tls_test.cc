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

  std::unique_ptr<HttpServer> Http() const {
    HttpServerOptions options;
    options.rest_address = "127.0.0.1:0";
    options.metrics_address = "";
    options.tls = certificate();
    auto server = HttpServer::Start(options, core_, nullptr);
    EXPECT_TRUE(server.ok()) << server.status().ToString();
    return std::move(*server);
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

TEST_F(InferenceTlsTest, GrpcIsEncrypted) {
  InferenceServerOptions options;
  options.grpc_address = "127.0.0.1:0";
  options.tls = certificate();
  const auto server = InferenceServer::Start(options, core_);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  const auto is_live = [&](const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    inference::ServerLiveResponse response;
    return inference::GRPCInferenceService::NewStub(grpc::CreateChannel((*server)->address(), credentials))
        ->ServerLive(&context, {}, &response)
        .ok();
  };
  EXPECT_TRUE(is_live(grpc::SslCredentials({TextOf(files_.ca), "", ""})));
  EXPECT_FALSE(is_live(grpc::InsecureChannelCredentials()));
}

TEST_F(InferenceTlsTest, UnreadableCertificatesAreNamed) {
  InferenceServerOptions options;
  options.grpc_address = "127.0.0.1:0";
  options.tls = ServerCertificate{folder_.path() / "nothing.pem", files_.key};
  EXPECT_THAT(InferenceServer::Start(options, core_).status().message(), HasSubstr("nothing.pem"));
}

} // namespace
} // namespace avocet

#include "node_agent/grpc/server_credentials.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

namespace avocet {
namespace {

/// What gRPC was handed last; it asks at every handshake.
struct Fetched {
  std::unique_ptr<CertificateFiles> files;
  std::mutex mutex;
  std::shared_ptr<const ServerPem> given;
};

grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
  auto& fetched = *static_cast<Fetched*>(self);
  const std::lock_guard lock(fetched.mutex);
  auto current = fetched.files->Current();
  if (current == fetched.given) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;

  const grpc_ssl_pem_key_cert_pair pair{current->key.c_str(), current->certificate.c_str()};
  // gRPC 1.51 insists on authorities for its clients, although it asks them for no certificate.
  *config = grpc_ssl_server_certificate_config_create(current->certificate.c_str(), &pair, 1);
  fetched.given = std::move(current);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

/// Lives as long as the process: gRPC calls Fetch until its last reference to the credentials goes, and does not say
/// when.
void* KeepForever(std::unique_ptr<CertificateFiles> files) {
  static std::mutex mutex;
  static auto* const kAll = new std::vector<std::unique_ptr<Fetched>>; // NOLINT: on purpose
  const std::lock_guard lock(mutex);
  kAll->push_back(std::make_unique<Fetched>());
  kAll->back()->files = std::move(files);
  return kAll->back().get();
}

/// grpc++ has no credentials whose files change; its C library has.
class InferenceCredentials : public grpc::ServerCredentials {
public:
  explicit InferenceCredentials(void* fetched)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
                                                                            Fetch, fetched))) {}
  ~InferenceCredentials() override { grpc_server_credentials_release(credentials_); }
  InferenceCredentials(const InferenceCredentials&) = delete;
  InferenceCredentials& operator=(const InferenceCredentials&) = delete;

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* credentials_;
};

} // namespace

std::shared_ptr<grpc::ServerCredentials> MakeInferenceCredentials(std::unique_ptr<CertificateFiles> files) {
  return std::make_shared<InferenceCredentials>(KeepForever(std::move(files)));
}

} // namespace avocet

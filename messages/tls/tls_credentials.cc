#include "messages/tls/tls_credentials.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <absl/synchronization/mutex.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/pem.h>
#include <spdlog/spdlog.h>

#include "messages/address.h"
#include "messages/tls/openssl.h"
#include "messages/tls/tls_files.h"

namespace avocet {
namespace {

using SystemClock = std::chrono::system_clock;

// gRPC 1.51 cannot be told the oldest version of TLS. It takes the ciphers of TLS 1.2 from this variable, and those
// of 1.3 are always on: with a cipher that needs a pre-shared key, which nobody sets, 1.2 can agree on nothing.
// Set before main, while there is one thread.
const bool kOnlyTls13 = setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1) == 0; // NOLINT

// Debian builds Abseil with its search for deadlocks on: gRPC's mutexes pay for it with 5 % of a busy link's processor
// time.
const bool kNoDeadlockSearch = (absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore), true); // NOLINT

Status RefuseRole(const TlsOptions& tls, Role found, std::string_view needed) {
  return InvalidArgument("TLS file '" + tls.certificate.string() + "' is the certificate of role " +
                         std::string(ToString(found)) + "; here it must be " + std::string(needed) +
                         " (`avocet tls issue --role ...`)");
}

/// Long enough before the end for somebody to act.
constexpr auto kRenewBefore = std::chrono::hours(24 * 30);

void WarnBeforeEnd(const TlsOptions& tls, const TlsFiles& files, SystemClock::time_point now) {
  if (files.not_after - now > kRenewBefore) return;
  spdlog::warn("certificate ends soon certificate={} hours_left={} remedy=\"avocet tls issue --force\"",
               tls.certificate.string(), std::chrono::floor<std::chrono::hours>(files.not_after - now).count());
}

// ---- server ----

/// The files of one server. gRPC asks at every handshake for a new configuration. One that the files' contents
/// cannot make is never handed to gRPC: it would go on without any.
class ServerFiles {
public:
  ServerFiles(TlsOptions options, TlsFiles files, std::string fingerprint)
      : options_(std::move(options)), files_(std::move(files)), fingerprint_(std::move(fingerprint)) {}

  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<ServerFiles*>(self)->Fetch(config);
  }

private:
  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config) {
    const std::lock_guard lock(mutex_);
    if (!Reload() && handed_out_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    handed_out_ = true;
    const grpc_ssl_pem_key_cert_pair pair{files_.key_pem.c_str(), files_.certificate_pem.c_str()};
    *config = grpc_ssl_server_certificate_config_create(files_.ca_pem.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  /// True when there are new files that can be used. Each state of the files is judged once.
  bool Reload() {
    std::string fingerprint = FingerprintOf(options_);
    if (fingerprint == fingerprint_) return false;
    // Noted before the files are read: broken files are tried again when they change, not at each handshake.
    fingerprint_ = std::move(fingerprint);

    const auto now = SystemClock::now();
    auto files = ReadTlsFiles(options_, now);
    if (files.ok() && files->identity.role != Role::kController)
      files = RefuseRole(options_, files->identity.role, "controller");

    // A mistake while renewing must not cut connections: the old pair serves until it ends.
    if (!files.ok()) {
      spdlog::warn("new TLS files not used reason=\"{}\"", files.status().message());
      return false;
    }

    files_ = std::move(*files);
    spdlog::info("TLS files reloaded certificate={} name={}", options_.certificate.string(), files_.identity.name);
    WarnBeforeEnd(options_, files_, now);

    return true;
  }

  const TlsOptions options_;
  std::mutex mutex_;
  TlsFiles files_;
  std::string fingerprint_; ///< of the files that were judged last
  bool handed_out_ = false;
};

/// Makes them live as long as the process: gRPC calls Fetch until its last reference to the credentials goes,
/// and does not say when.
void* KeepForever(std::unique_ptr<ServerFiles> files) {
  static std::mutex mutex;
  static auto* const kAll = new std::vector<std::unique_ptr<ServerFiles>>; // NOLINT: on purpose
  const std::lock_guard lock(mutex);
  return kAll->emplace_back(std::move(files)).get();
}

/// grpc++ has no credentials whose files change; its C library has.
class ReloadingServerCredentials : public grpc::ServerCredentials {
public:
  explicit ReloadingServerCredentials(void* files)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, ServerFiles::Fetch, files))) {}
  ~ReloadingServerCredentials() override { grpc_server_credentials_release(credentials_); }
  ReloadingServerCredentials(const ReloadingServerCredentials&) = delete;
  ReloadingServerCredentials& operator=(const ReloadingServerCredentials&) = delete;

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* credentials_;
};

// ---- client ----

/// After the chain was verified: that it is a controller, and the one that was meant.
class ControllerVerifier : public grpc::experimental::ExternalCertificateVerifier {
public:
  explicit ControllerVerifier(std::string host) : host_(std::move(host)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> /*callback*/, grpc::Status* status) override {
    if (const Status refused = Check(*request); !refused.ok())
      *status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, refused.message());
    return true; // done
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest* /*request*/) override {}

private:
  Status Check(const grpc::experimental::TlsCustomVerificationCheckRequest& request) const {
    std::vector<std::string_view> uris;
    for (const auto& uri : request.uri_names())
      uris.emplace_back(uri.data(), uri.size());
    AVOCET_ASSIGN_OR_RETURN(auto identity, IdentityAmong(uris));
    if (identity.role != Role::kController) return Denied("the server is " + ToUri(identity) + ", not a controller");
    const auto pem = request.peer_cert();
    if (CertificateCovers({pem.data(), pem.size()}, host_)) return {};
    return Denied("the certificate of " + ToUri(identity) + " does not cover '" + host_ + "'; issue one with --host " +
                  host_);
  }

  std::string host_;
};

Result<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(const TlsOptions& tls, const TlsFiles& files,
                                                                const std::string& address) {
  AVOCET_ASSIGN_OR_RETURN(const auto parsed, ParseAddress(address));
  if (files.identity.role == Role::kController) return RefuseRole(tls, files.identity.role, "agent, admin or client");
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      files.ca_pem, std::vector<grpc::experimental::IdentityKeyCertPair>{{files.key_pem, files.certificate_pem}}));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<ControllerVerifier>(parsed.host));
  options.set_check_call_host(false); // ControllerVerifier does
  return grpc::experimental::TlsCredentials(options);
}

} // namespace

Result<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const std::optional<TlsOptions>& tls,
                                                                       std::string_view address) {
  if (!tls) {
    AVOCET_RETURN_IF_ERROR(CheckTls(tls, address, SystemClock::now()));
    return grpc::InsecureServerCredentials();
  }
  std::string fingerprint = FingerprintOf(*tls);
  const auto now = SystemClock::now();
  AVOCET_ASSIGN_OR_RETURN(auto files, ReadTlsFiles(*tls, now));
  if (files.identity.role != Role::kController) return RefuseRole(*tls, files.identity.role, "controller");
  WarnBeforeEnd(*tls, files, now);
  return std::shared_ptr<grpc::ServerCredentials>(std::make_shared<ReloadingServerCredentials>(
      KeepForever(std::make_unique<ServerFiles>(*tls, std::move(files), std::move(fingerprint)))));
}

Result<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(const std::optional<TlsOptions>& tls,
                                                                         std::string_view address) {
  return ChannelCredentialsSource(tls, std::string(address)).Get();
}

Result<std::shared_ptr<grpc::ChannelCredentials>> ChannelCredentialsSource::Get() {
  // Without TLS only loopback is allowed, and that is checked before each use.
  if (!tls_) {
    AVOCET_RETURN_IF_ERROR(CheckTls(tls_, address_, SystemClock::now()));
    if (credentials_ == nullptr) credentials_ = grpc::InsecureChannelCredentials();
    return credentials_;
  }

  std::string fingerprint = FingerprintOf(*tls_);
  const auto now = SystemClock::now();
  if (credentials_ != nullptr && fingerprint == fingerprint_ && now < not_after_) return credentials_;

  // What has changed or expired is not used again, even where the new files are broken.
  credentials_ = nullptr;
  AVOCET_ASSIGN_OR_RETURN(auto files, ReadTlsFiles(*tls_, now));
  auto credentials = CredentialsOf(*tls_, files, address_);
  if (!credentials.ok()) return credentials;

  fingerprint_ = std::move(fingerprint);
  not_after_ = files.not_after;
  return credentials_ = *std::move(credentials);
}

Result<PeerIdentity> IdentityOf(const grpc::AuthContext& context) {
  const auto security = context.FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
  if (security.size() == 1 && security[0] == "insecure") return PeerIdentity{Role::kLocal, "loopback"};
  if (!context.IsPeerAuthenticated()) return Denied("the peer has shown no certificate");
  std::vector<std::string_view> uris;
  const auto found = context.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME);
  uris.reserve(found.size());
  for (const auto& uri : found)
    uris.emplace_back(uri.data(), uri.size());
  return IdentityAmong(uris);
}

std::string CertificateOf(const grpc::AuthContext& context) {
  std::string pem;
  // A server's chain is without the peer's own certificate (SSL_get_peer_cert_chain).
  for (const char* property : {GRPC_X509_PEM_CERT_PROPERTY_NAME, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME}) {
    for (const auto& value : context.FindPropertyValues(property))
      pem.append(value.data(), value.size());
  }
  return pem;
}

Status RequireRole(const grpc::AuthContext& context, std::initializer_list<Role> roles) {
  AVOCET_ASSIGN_OR_RETURN(const auto identity, IdentityOf(context));
  std::string needed;
  for (const Role role : roles) {
    if (identity.role == role) return {};
    needed += (needed.empty() ? "" : " or ") + std::string(ToString(role));
  }
  if (identity.role == Role::kLocal) return {};
  return Denied(ToUri(identity) + " may not do this: it needs the role " + needed + "; use a certificate of that role");
}

} // namespace avocet

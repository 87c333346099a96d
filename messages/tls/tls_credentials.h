#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include "messages/status.h"
#include "messages/tls/tls.h"

namespace avocet {

// gRPC credentials of the connections between processes: mutual TLS, 1.3 at least. Without
// certificates only loopback is served or dialled, in plain text. Thread-safe.

/// For a server that listens on `address`. Every peer must present a certificate of the authority. The
/// files are looked at again at every handshake: changed ones take effect when they are whole and valid
/// (a half-written pair is logged, and the old one stays).
/// kInvalidArgument: no certificates for an address that is not loopback, or unusable ones.
Result<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const std::optional<TlsOptions>& tls,
                                                                       std::string_view address);

/// For a channel to the controller at `address`. The server's certificate must descend from the
/// authority, have the role controller, and cover the host of `address`, name or IP. The files are read
/// now; who dials again and again asks a ChannelCredentialsSource.
/// kInvalidArgument as above.
Result<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(const std::optional<TlsOptions>& tls,
                                                                         std::string_view address);

/// As MakeChannelCredentials for every new channel to the same address, but the files are read and checked again only
/// when they changed or the certificate ended; until then the credentials are the same object. Not thread-safe.
class ChannelCredentialsSource {
public:
  ChannelCredentialsSource(std::optional<TlsOptions> tls, std::string address)
      : tls_(std::move(tls)), address_(std::move(address)) {}
  Result<std::shared_ptr<grpc::ChannelCredentials>> Get();

private:
  std::optional<TlsOptions> tls_;
  std::string address_;
  std::string fingerprint_; ///< of the files that `credentials_` were made of
  std::chrono::system_clock::time_point not_after_;
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
};

/// Who calls. Role::kLocal for a peer of a server that MakeServerCredentials made for plain text; otherwise
/// what the certificate says. kDenied when it says nothing usable.
Result<PeerIdentity> IdentityOf(const grpc::AuthContext& context);

/// The caller's certificate and what it sent behind it, PEM; empty for a peer without one.
std::string CertificateOf(const grpc::AuthContext& context);

/// kDenied unless the caller has one of these roles; the text names the found and the needed ones.
/// Role::kLocal passes.
Status RequireRole(const grpc::AuthContext& context, std::initializer_list<Role> roles);

} // namespace avocet

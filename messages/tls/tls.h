#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// What a process may do, as its certificate says.
enum class Role {
  kController = 1, ///< serves Control and the link; the only one that a client accepts behind an address
  kAgent = 2,      ///< may open the link, under its own name
  kAdmin = 3,      ///< may call everything of Control
  kClient = 4,     ///< may ask Control, change nothing
  kLocal = 5,      ///< a peer without a certificate, on loopback; stands in no certificate and passes as any role
};
std::string_view ToString(Role role); ///< "controller", "agent", "admin", "client", "local"
/// A role that a certificate can have: not "local".
std::optional<Role> ParseRole(std::string_view text);

/// Who a peer is: the URI avocet://role/name among the subject alternative names of its certificate.
struct PeerIdentity {
  Role role = Role::kClient;
  std::string name; ///< IsName; of an agent: its node
  friend bool operator==(const PeerIdentity&, const PeerIdentity&) = default;
};
std::string ToUri(const PeerIdentity& peer); ///< "avocet://agent/jetson-1"
/// kInvalidArgument unless `uri` is exactly what ToUri makes.
Result<PeerIdentity> ParseIdentity(std::string_view uri);
/// The one identity among the URIs of a certificate; kDenied when there is none, or more than one.
Result<PeerIdentity> IdentityAmong(const std::vector<std::string_view>& uris);

/// Files of a process's certificate: [tls] in the configuration files, --tls-ca, --tls-cert, --tls-key.
struct TlsOptions {
  std::filesystem::path ca;          ///< the certificates that peers must descend from, PEM
  std::filesystem::path certificate; ///< own certificate, PEM, others of its chain behind it
  std::filesystem::path key;         ///< its private key, PEM without a passphrase; 0640 at most
  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};
/// All three are given. Reads nothing; see messages/tls/tls_files.h.
Status Validate(const TlsOptions& options);

} // namespace avocet

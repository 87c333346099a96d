#include "messages/tls/tls.h"

#include <algorithm>
#include <iterator>

#include "messages/check.h"
#include "messages/enum_names.h"
#include "messages/ids.h"

namespace avocet {
namespace {

constexpr std::string_view kScheme = "avocet://";

} // namespace

std::string_view ToString(Role role) {
  switch (role) {
  case Role::kController:
    return "controller";
  case Role::kAgent:
    return "agent";
  case Role::kAdmin:
    return "admin";
  case Role::kClient:
    return "client";
  case Role::kLocal:
    return "local";
  }
  return "unknown";
}

std::optional<Role> ParseRole(std::string_view text) {
  return ParseEnum(text, {Role::kController, Role::kAgent, Role::kAdmin, Role::kClient});
}

std::string ToUri(const PeerIdentity& peer) {
  return std::string(kScheme) + std::string(ToString(peer.role)) + "/" + peer.name;
}

Result<PeerIdentity> ParseIdentity(std::string_view uri) {
  const auto malformed = [uri] {
    return InvalidArgument("identity " + Describe(uri) +
                           " is not avocet://role/name with a role of controller, agent, admin or client");
  };
  if (!uri.starts_with(kScheme)) return malformed();
  const std::string_view rest = uri.substr(kScheme.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return malformed();
  const auto role = ParseRole(rest.substr(0, slash));
  const std::string_view name = rest.substr(slash + 1);
  if (!role || !IsName(name)) return malformed();
  return PeerIdentity{*role, std::string(name)};
}

Result<PeerIdentity> IdentityAmong(const std::vector<std::string_view>& uris) {
  std::vector<std::string_view> ours;
  std::copy_if(uris.begin(), uris.end(), std::back_inserter(ours), [](auto uri) { return uri.starts_with(kScheme); });
  if (ours.size() > 1) return Denied("the certificate has more than one avocet:// name; issue one per process");
  if (ours.empty()) return Denied("the certificate has no avocet:// name; issue one with `avocet tls issue`");
  auto identity = ParseIdentity(ours.front());
  if (!identity.ok()) return Denied(identity.status().message());
  return identity;
}

Status Validate(const TlsOptions& options) {
  return Check("tls", std::string_view("tls"))
      .Is(!options.ca.empty(), "tls.ca", "missing", "the file with the certificate of the authority, ca.pem")
      .Is(!options.certificate.empty(), "tls.certificate", "missing", "the file with this process's certificate")
      .Is(!options.key.empty(), "tls.key", "missing", "the file with this process's private key")
      .status();
}

} // namespace avocet

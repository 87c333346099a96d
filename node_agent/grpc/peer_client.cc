#include "node_agent/grpc/peer_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "node_agent/ports/connection_admission.h"

namespace avocet {
namespace {

/// What stands between `open` and `close`; empty when either is missing.
std::string Between(std::string_view text, std::string_view open, std::string_view close) {
  const size_t begin = text.find(open);
  const size_t end = text.rfind(close);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + open.size()) return {};
  return std::string(text.substr(begin + open.size(), end - begin - open.size()));
}

std::string NameOf(const sockaddr& address) {
  const ClientKey key = ClientKeyOf(address);
  return {key.begin(), key.end()};
}

} // namespace

std::string ClientOfPeer(std::string_view peer) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (peer.starts_with("ipv4:") && inet_pton(AF_INET, Between(peer, "ipv4:", ":").c_str(), &v4.sin_addr) == 1)
    return NameOf(reinterpret_cast<const sockaddr&>(v4));

  // gRPC writes brackets percent-encoded, and the zone of a link-local address behind a further '%'.
  std::string host = Between(peer, "ipv6:%5B", "%5D:");
  if (host.empty()) host = Between(peer, "ipv6:[", "]:");
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &v6.sin6_addr) == 1)
    return NameOf(reinterpret_cast<const sockaddr&>(v6));
  return std::string(peer);
}

} // namespace avocet

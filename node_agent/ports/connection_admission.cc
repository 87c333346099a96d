#include "node_agent/ports/connection_admission.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "messages/invariant.h"

namespace avocet {
namespace {

constexpr size_t kSubnetBytes = 8; ///< of an IPv6 address: /64

ClientKey KeyOfV4(const uint8_t* bytes) {
  ClientKey key{};
  key[10] = key[11] = 0xff; // as IPv6 maps it: one client, whichever family the listening socket has
  std::copy_n(bytes, 4, key.begin() + 12);
  return key;
}

ClientKey KeyOfV6(const in6_addr& address) {
  const uint8_t* const bytes = address.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return KeyOfV4(bytes + 12);
  ClientKey key{};
  const bool is_whole = IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_LOOPBACK(&address);
  std::copy_n(bytes, is_whole ? key.size() : kSubnetBytes, key.begin());
  return key;
}

} // namespace

ConnectionLimits WithinDescriptors(const ConnectionLimits& wanted, size_t descriptors) {
  if (wanted.max_connections <= descriptors) return wanted;
  const size_t per_address = std::min(wanted.max_per_address, wanted.max_connections);
  return {std::max<size_t>(1, descriptors), std::max<size_t>(1, per_address * descriptors / wanted.max_connections)};
}

ClientKey ClientKeyOf(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    std::array<uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return KeyOfV4(bytes.data());
  }
  if (address.sa_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  return KeyOfV6(v6.sin6_addr);
}

Admission ConnectionAdmission::Admit(const ClientKey& client) {
  const auto found = per_client_.find(client);
  if (found != per_client_.end() && found->second >= limits_.max_per_address) return Admission::kAddressFull;
  if (connections_ >= limits_.max_connections) return Admission::kFull;
  ++connections_;
  ++per_client_[client];
  return Admission::kAdmitted;
}

void ConnectionAdmission::Release(const ClientKey& client) {
  const auto found = per_client_.find(client);
  AVOCET_CHECK(found != per_client_.end());
  --connections_;
  if (--found->second == 0) per_client_.erase(found);
}

std::string ConnectionAdmission::Explain(Admission refused) const {
  if (refused == Admission::kAddressFull)
    return "more than " + std::to_string(limits_.max_per_address) + " connections of one address";
  return "more than " + std::to_string(limits_.max_connections) + " connections";
}

AcceptWatch::Verdict AcceptWatch::Failed(MonotonicTime now) {
  last_ = now;
  if (!std::exchange(is_failing_, true)) {
    since_ = now;
    say_at_ = now + error_after_;
    return Verdict::kFailing;
  }
  if (now < say_at_) return Verdict::kNothing;
  is_reported_ = true;
  say_at_ = now + error_after_;
  return Verdict::kNotAccepting;
}

AcceptWatch::Verdict AcceptWatch::Succeeded() {
  is_failing_ = false;
  return std::exchange(is_reported_, false) ? Verdict::kAcceptsAgain : Verdict::kNothing;
}

} // namespace avocet

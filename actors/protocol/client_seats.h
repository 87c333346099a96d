#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "messages/status.h"
#include "messages/tls/tls.h"

namespace avocet {

struct ClientSeatOptions {
  size_t total = 0;
  size_t per_client = 0;      ///< of one certificate of role client
  size_t per_admin = 0;       ///< of one certificate of any other role
  size_t kept_for_admins = 0; ///< of `total`: what all certificates of role client together leave free
};

/// Who has how many of a bounded number of places, for calls under way or streams that stay: no client takes all, and
/// administrators always find one. Peers without a certificate (Role::kLocal) are one user of this machine or many, so
/// only the total bounds them. Not thread-safe.
class ClientSeats {
public:
  explicit ClientSeats(const ClientSeatOptions& options) : options_(options) {}

  /// kResourceExhausted says which bound is met; ok: one seat is the client's until Leave.
  Status Take(const PeerIdentity& client);
  /// Requires a seat that was taken.
  void Leave(const PeerIdentity& client);

  size_t taken() const { return taken_; }

private:
  Status Check(const PeerIdentity& client) const;

  ClientSeatOptions options_;
  std::map<std::string, size_t> by_client_; ///< by ToUri; never 0
  size_t taken_ = 0;
  size_t taken_by_clients_ = 0; ///< of role client
};

} // namespace avocet

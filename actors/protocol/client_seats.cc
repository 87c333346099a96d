#include "actors/protocol/client_seats.h"

#include "messages/invariant.h"

namespace avocet {

Status ClientSeats::Take(const PeerIdentity& client) {
  AVOCET_RETURN_IF_ERROR(Check(client));
  ++by_client_[ToUri(client)];
  ++taken_;
  if (client.role == Role::kClient) ++taken_by_clients_;
  return {};
}

void ClientSeats::Leave(const PeerIdentity& client) {
  const auto seats = by_client_.find(ToUri(client));
  AVOCET_CHECK(seats != by_client_.end());
  if (--seats->second == 0) by_client_.erase(seats);
  --taken_;
  if (client.role == Role::kClient) --taken_by_clients_;
}

Status ClientSeats::Check(const PeerIdentity& client) const {
  if (taken_ >= options_.total)
    return ResourceExhausted("all " + std::to_string(options_.total) + " places are taken; try again later");
  if (client.role == Role::kLocal) return {};

  const bool is_client = client.role == Role::kClient;
  const size_t most = is_client ? options_.per_client : options_.per_admin;
  const auto seats = by_client_.find(ToUri(client));
  if (seats != by_client_.end() && seats->second >= most)
    return ResourceExhausted(ToUri(client) + " has " + std::to_string(most) + " already, as many as it may; end some");

  const size_t for_clients = options_.total - options_.kept_for_admins;
  if (is_client && taken_by_clients_ >= for_clients)
    return ResourceExhausted("clients have all " + std::to_string(for_clients) +
                             " places that they may take together; try again later");
  return {};
}

} // namespace avocet

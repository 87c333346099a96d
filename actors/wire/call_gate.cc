#include "actors/wire/call_gate.h"

#include <chrono>

#include "messages/tls/tls_credentials.h"

namespace avocet {

Result<PeerIdentity> CallGate::Identify(const grpc::AuthContext& context, std::initializer_list<Role> roles) {
  AVOCET_RETURN_IF_ERROR(RequireRole(context, roles));
  AVOCET_ASSIGN_OR_RETURN(auto identity, IdentityOf(context));
  if (identity.role != Role::kLocal) AVOCET_RETURN_IF_ERROR(CheckTrust(CertificateOf(context)));
  return identity;
}

Status CallGate::CheckTrust(const std::string& certificate) {
  return trust_ ? trust_->Check(certificate, std::chrono::system_clock::now()) : Status();
}

Status SeatPool::Take(const PeerIdentity& client) {
  const std::lock_guard lock(mutex_);
  return seats_.Take(client);
}

void SeatPool::Leave(const PeerIdentity& client) {
  const std::lock_guard lock(mutex_);
  seats_.Leave(client);
}

Result<std::unique_ptr<Seat>> Seat::In(const std::shared_ptr<SeatPool>& pool, const PeerIdentity& client) {
  AVOCET_RETURN_IF_ERROR(pool->Take(client));
  return std::unique_ptr<Seat>(new Seat(pool, client));
}

} // namespace avocet

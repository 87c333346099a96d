#pragma once

#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <grpcpp/security/auth_context.h>

#include "actors/protocol/client_seats.h"
#include "messages/status.h"
#include "messages/tls/peer_trust.h"
#include "messages/tls/tls.h"

namespace avocet {

/// Who may use the control port now. A connection may be old: its certificate was good when it began. Thread-safe.
class CallGate {
public:
  /// Without files everybody on loopback may.
  explicit CallGate(const std::optional<TlsOptions>& tls) {
    if (tls) trust_.emplace(*tls);
  }

  /// The caller, whose certificate is trusted still and has one of these roles; Role::kLocal passes. kDenied otherwise.
  Result<PeerIdentity> Identify(const grpc::AuthContext& context, std::initializer_list<Role> roles);
  /// kDenied when a certificate (as of CertificateOf) that was accepted once is not trusted any more.
  Status CheckTrust(const std::string& certificate);

private:
  std::optional<PeerTrust> trust_;
};

/// ClientSeats that several threads share. Thread-safe.
class SeatPool {
public:
  explicit SeatPool(const ClientSeatOptions& options) : seats_(options) {}

  Status Take(const PeerIdentity& client);
  void Leave(const PeerIdentity& client);

private:
  std::mutex mutex_;
  ClientSeats seats_;
};

/// A seat, which is left when this goes.
class Seat {
public:
  /// As ClientSeats::Take.
  static Result<std::unique_ptr<Seat>> In(const std::shared_ptr<SeatPool>& pool, const PeerIdentity& client);
  ~Seat() { pool_->Leave(client_); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

private:
  Seat(std::shared_ptr<SeatPool> pool, PeerIdentity client) : pool_(std::move(pool)), client_(std::move(client)) {}

  std::shared_ptr<SeatPool> pool_;
  PeerIdentity client_;
};

} // namespace avocet

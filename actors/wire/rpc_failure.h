#pragma once

#include <optional>
#include <string>

#include <grpcpp/support/status.h>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// A call of the controller, as far as the text of its failure needs it.
struct RpcAttempt {
  std::string address;                                         ///< host:port that was dialled
  std::string address_from = "--addr or AVOCET_ADDR";          ///< where another address would be said
  bool tls = false;                                            ///< dialled with certificates
  std::string tls_from = "--tls-ca, --tls-cert and --tls-key"; ///< where certificates would be said
  std::string asked;                                           ///< the call, e.g. "ListNodes"
  Duration deadline{};                                         ///< of the call
  bool connected = false;                                      ///< the connection stood when the call failed
};

/// Asks whether the server at an address speaks TLS; it may take seconds.
using AsksForTls = bool (*)(const std::string& address);

/// What a failure of the connection means and what to do, in place of gRPC's words (lists of addresses, names of source
/// files, JSON): the other side speaks TLS and this one does not, the reverse, nothing listens, a certificate is not
/// trusted, nobody answers. nullopt: the controller itself answered, and its words stand. `speaks_tls` is asked only
/// where a server closed a plain connection that nobody used yet.
std::optional<Status> ExplainRpcFailure(const grpc::Status& status, const RpcAttempt& attempt, AsksForTls speaks_tls);

} // namespace avocet

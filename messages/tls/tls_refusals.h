#pragma once

#include <string>

namespace avocet {

/// A certificate that OpenSSL did not accept, anywhere in this process.
struct CertificateRefusal {
  std::string certificate; ///< its avocet:// name, or its subject
  std::string reason;      ///< e.g. "certificate has expired"
};

/// From now on calls `observer` for every refusal, from whatever thread verifies. gRPC and TLS libraries say only
/// that verification failed; this says why, and of whom. Only the first observer counts.
void ObserveRefusals(void (*observer)(const CertificateRefusal& refusal));

} // namespace avocet

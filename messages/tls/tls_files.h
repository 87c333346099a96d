#pragma once

#include <chrono>
#include <string>

#include "messages/tls/tls.h"

namespace avocet {

/// The contents of the files of a TlsOptions, checked: they can be used as they are.
struct TlsFiles {
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
  PeerIdentity identity;                           ///< of the certificate
  std::chrono::system_clock::time_point not_after; ///< the certificate's end
};

inline constexpr size_t kMaxTlsFileBytes = 1 << 20;

/// Reads and checks. kInvalidArgument names the file and what to do: missing, unreadable, not PEM, a key that
/// everybody can read or that belongs to another certificate, a certificate that is not valid at `now`, that
/// the authority did not issue, or that has no identity.
Result<TlsFiles> ReadTlsFiles(const TlsOptions& options, std::chrono::system_clock::time_point now);

/// Whether a process may start with these: kInvalidArgument when there are none and `address` is not loopback, or
/// when ReadTlsFiles refuses them.
Status CheckTls(const std::optional<TlsOptions>& options, std::string_view address,
                std::chrono::system_clock::time_point now);

/// Changes when a file was replaced or written; empty when one cannot be looked at.
std::string FingerprintOf(const TlsOptions& options);

} // namespace avocet

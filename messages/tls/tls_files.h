#pragma once

#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

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

/// That an authority (PEM) vouches at `now` for the first certificate of a peer's chain (PEM): until when. kDenied says
/// why it does not.
Result<std::chrono::system_clock::time_point> CheckIssued(const std::string& ca_pem, const std::string& chain_pem,
                                                          std::chrono::system_clock::time_point now);

/// Whether a process may start with these: kInvalidArgument when there are none and `address` is not loopback, or
/// when ReadTlsFiles refuses them.
Status CheckTls(const std::optional<TlsOptions>& options, std::string_view address,
                std::chrono::system_clock::time_point now);

/// Changes when a file was replaced or written; empty when one cannot be looked at.
std::string FingerprintOf(const TlsOptions& options);
std::string FingerprintOf(std::initializer_list<std::filesystem::path> files);

/// What a server shows that asks its clients for nothing.
struct ServerPem {
  std::string certificate; ///< with others of its chain behind it
  std::string key;
};
/// Reads and checks. kInvalidArgument names the file and what to do: missing, unreadable, not PEM, not a pair, out of
/// date at `now`.
Result<ServerPem> ReadServerPem(const std::filesystem::path& certificate, const std::filesystem::path& key,
                                std::chrono::system_clock::time_point now);

/// Whether the first certificate of a PEM text covers a host name or an IP address.
bool CertificateCovers(std::string_view pem, const std::string& host);
/// All that it covers: names, and IP addresses as texts. Empty where there is no certificate.
std::vector<std::string> HostsOfCertificate(std::string_view pem);

} // namespace avocet

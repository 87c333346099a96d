#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "messages/tls/tls.h"

namespace avocet {

// A private certificate authority in a folder: `ca.pem` and `ca.key`, and below it one folder per process
// ("agent-jetson-1") with the three files that the process needs: ca.pem, cert.pem, key.pem. Keys are EC
// P-256, 0600. Files are replaced as a whole (written aside, then renamed).

struct AuthorityOptions {
  std::filesystem::path directory;
  bool force = false;  ///< replaces an authority that is there: nothing that it issued is trusted any more
  bool rotate = false; ///< replaces it, and leaves the old certificate in ca.pem, so that both are trusted
  std::chrono::system_clock::time_point now;
};

struct Authority {
  std::filesystem::path certificate; ///< ca.pem
  std::filesystem::path key;         ///< ca.key
  std::chrono::system_clock::time_point not_after;
};

inline constexpr int kAuthorityDays = 3650;
inline constexpr int kMaxCertificateDays = 825;

/// kAlreadyExists when there is one and neither `force` nor `rotate`.
Result<Authority> CreateAuthority(const AuthorityOptions& options);

struct IssueOptions {
  std::filesystem::path directory; ///< of the authority
  PeerIdentity identity;
  /// Further host names and IP addresses that the process is dialled under. A controller's and an agent's
  /// certificate also covers its name, localhost, 127.0.0.1 and ::1.
  std::vector<std::string> hosts;
  int days = 365; ///< 1 to kMaxCertificateDays; not longer than the authority lives
  /// Replaces a certificate that is there (to renew it), and covers its hosts, too: a renewal that forgot one would cut
  /// off those who dial it.
  bool force = false;
  std::chrono::system_clock::time_point now;
};
Status Validate(const IssueOptions& options);

struct IssuedCertificate {
  TlsOptions files;
  PeerIdentity identity;
  std::vector<std::string> hosts; ///< all that it covers
  std::vector<std::string> kept;  ///< of these, what only the certificate before it says
  std::chrono::system_clock::time_point not_after;
};

/// kNotFound without an authority; kAlreadyExists when there is a certificate and not `force`.
Result<IssuedCertificate> IssueCertificate(const IssueOptions& options);

} // namespace avocet

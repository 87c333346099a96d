#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "messages/tls/tls.h"

namespace avocet {

/// Whether a certificate that a handshake accepted would be accepted still: by the authority that is in the files now,
/// and at this time. The files are looked at again whenever they changed; as for handshakes, new ones count once all
/// three are there and valid. Answers are remembered, as each call and each open session asks. Thread-safe.
class PeerTrust {
public:
  explicit PeerTrust(TlsOptions files) : files_(std::move(files)) {}

  /// `chain`: PEM, the peer's certificate first. kDenied says why not.
  Status Check(const std::string& chain, std::chrono::system_clock::time_point now);

private:
  struct Verdict {
    Status status;
    std::chrono::system_clock::time_point since; ///< clocks are set back, too
    std::chrono::system_clock::time_point until;
  };

  void Reload(std::chrono::system_clock::time_point now);

  static constexpr size_t kMaxVerdicts = 8192;

  const TlsOptions files_;
  std::mutex mutex_; ///< guards the members below
  std::string fingerprint_;
  std::string ca_pem_;
  std::map<std::string, Verdict> verdicts_; ///< by chain
};

} // namespace avocet

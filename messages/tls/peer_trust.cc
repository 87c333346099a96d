#include "messages/tls/peer_trust.h"

#include <utility>

#include "messages/tls/tls_files.h"

namespace avocet {
namespace {

/// A certificate that is not valid yet will be.
constexpr auto kAskAgainAfter = std::chrono::seconds(10);

} // namespace

Status PeerTrust::Check(const std::string& chain, std::chrono::system_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Reload(now);
  // No authority was read yet, or ever: the handshake's judgement stands.
  if (ca_pem_.empty()) return {};

  const auto known = verdicts_.find(chain);
  if (known != verdicts_.end() && known->second.since <= now && now < known->second.until) return known->second.status;

  if (verdicts_.size() >= kMaxVerdicts) verdicts_.clear();
  auto issued = CheckIssued(ca_pem_, chain, now);
  verdicts_[chain] = {issued.status(), now, issued.ok() ? *issued : now + kAskAgainAfter};
  return issued.status();
}

void PeerTrust::Reload(std::chrono::system_clock::time_point now) {
  std::string fingerprint = FingerprintOf(files_);
  if (fingerprint == fingerprint_) return;
  fingerprint_ = std::move(fingerprint);
  auto files = ReadTlsFiles(files_, now);
  if (!files.ok() || files->ca_pem == ca_pem_) return; // who judges handshakes has logged why
  ca_pem_ = std::move(files->ca_pem);
  verdicts_.clear();
}

} // namespace avocet

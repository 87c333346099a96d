#include "node_agent/ports/certificate_files.h"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace avocet {

Result<std::unique_ptr<CertificateFiles>> CertificateFiles::Open(ServerCertificate files, std::string port) {
  // Before they are read: what is written meanwhile is then seen as a change.
  std::string fingerprint = FingerprintOf({files.certificate, files.key});
  AVOCET_ASSIGN_OR_RETURN(auto pem, ReadServerPem(files.certificate, files.key, std::chrono::system_clock::now()));
  return std::unique_ptr<CertificateFiles>(
      new CertificateFiles(std::move(files), std::move(port), std::move(fingerprint), std::move(pem)));
}

std::shared_ptr<const ServerPem> CertificateFiles::Current() {
  const std::lock_guard lock(mutex_);
  std::string fingerprint = FingerprintOf({files_.certificate, files_.key});
  if (fingerprint == fingerprint_) return pem_;
  // Broken files are judged again when they change, not for each connection.
  fingerprint_ = std::move(fingerprint);

  auto pem = ReadServerPem(files_.certificate, files_.key, std::chrono::system_clock::now());
  if (!pem.ok()) {
    spdlog::warn("new certificate not used port={} reason=\"{}\"", port_, pem.status().message());
    return pem_;
  }
  spdlog::info("certificate reloaded port={} file={}", port_, files_.certificate.string());
  return pem_ = std::make_shared<const ServerPem>(*std::move(pem));
}

} // namespace avocet

#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "messages/status.h"
#include "messages/tls/tls_files.h"
#include "node_agent/ports/server_certificate.h"

namespace avocet {

/// The certificate of an endpoint, as its files have it now: they are looked at for each connection, so that a renewed
/// one is shown without a restart. Thread-safe.
class CertificateFiles {
public:
  /// kInvalidArgument as ReadServerPem. `port` names the endpoint in the log.
  static Result<std::unique_ptr<CertificateFiles>> Open(ServerCertificate files, std::string port);

  /// What to show the next client. The same object until files changed and can be used; a half-written or mismatched
  /// pair is logged once and the old one stays. Costs two calls of the system.
  std::shared_ptr<const ServerPem> Current();

private:
  CertificateFiles(ServerCertificate files, std::string port, std::string fingerprint, ServerPem pem)
      : files_(std::move(files)), port_(std::move(port)), fingerprint_(std::move(fingerprint)),
        pem_(std::make_shared<const ServerPem>(std::move(pem))) {}

  const ServerCertificate files_;
  const std::string port_;
  std::mutex mutex_;
  std::string fingerprint_; ///< of the files that were judged last
  std::shared_ptr<const ServerPem> pem_;
};

} // namespace avocet

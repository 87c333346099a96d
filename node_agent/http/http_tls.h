#pragma once

#include <memory>
#include <mutex>

#include <boost/asio/ssl/context.hpp>

#include "node_agent/ports/certificate_files.h"

namespace avocet {

/// TLS of a port: the context for its next connection. A new one is made when the files of the certificate changed;
/// connections keep theirs. Thread-safe.
class HttpTls {
public:
  /// kInvalidArgument as CertificateFiles::Open.
  static Result<std::unique_ptr<HttpTls>> Open(const ServerCertificate& files);

  std::shared_ptr<boost::asio::ssl::context> Context();

private:
  explicit HttpTls(std::unique_ptr<CertificateFiles> files) : files_(std::move(files)) {}

  std::unique_ptr<CertificateFiles> files_;
  std::mutex mutex_;
  std::shared_ptr<const ServerPem> used_; ///< by `context_`
  std::shared_ptr<boost::asio::ssl::context> context_;
};

} // namespace avocet

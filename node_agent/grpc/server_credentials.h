#pragma once

#include <memory>

#include <grpcpp/security/server_credentials.h>

#include "node_agent/ports/certificate_files.h"

namespace avocet {

/// TLS for a server that asks its clients for no certificate. Each handshake shows what the files hold then.
std::shared_ptr<grpc::ServerCredentials> MakeInferenceCredentials(std::unique_ptr<CertificateFiles> files);

} // namespace avocet

#pragma once

#include <filesystem>

namespace avocet {

/// What an inference endpoint shows its clients, PEM files. Clients are not asked for theirs.
struct ServerCertificate {
  std::filesystem::path certificate; ///< own certificate, others of its chain behind it
  std::filesystem::path key;         ///< its private key, without a passphrase
  friend bool operator==(const ServerCertificate&, const ServerCertificate&) = default;
};

} // namespace avocet

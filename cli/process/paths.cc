#include "cli/process/paths.h"

#include <cstdlib>

namespace avocet {
namespace {

/// The variable's value; nullptr when unset or empty. Called before any thread starts.
const char* Environment(const char* name) {
  const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
  return value != nullptr && *value != '\0' ? value : nullptr;
}

} // namespace

std::filesystem::path EnginePrefix() {
  const char* prefix = Environment("AVOCET_PREFIX");
  return prefix != nullptr ? prefix : "/opt/avocet";
}

std::filesystem::path SampleModels() {
  return EnginePrefix() / "share" / "avocet" / "models";
}

std::filesystem::path DefaultDevDataDir() {
  if (const char* data = Environment("XDG_DATA_HOME")) return std::filesystem::path(data) / "avocet" / "dev";
  if (const char* home = Environment("HOME")) return std::filesystem::path(home) / ".local/share/avocet/dev";
  return std::filesystem::temp_directory_path() / "avocet-dev";
}

std::filesystem::path DefaultTlsDir() {
  if (const char* config = Environment("XDG_CONFIG_HOME")) return std::filesystem::path(config) / "avocet" / "tls";
  if (const char* home = Environment("HOME")) return std::filesystem::path(home) / ".config/avocet/tls";
  return "tls";
}

TlsOptions EnvironmentTls() {
  const auto path = [](const char* name) {
    const char* value = Environment(name);
    return std::filesystem::path(value != nullptr ? value : "");
  };
  return {.ca = path("AVOCET_TLS_CA"), .certificate = path("AVOCET_TLS_CERT"), .key = path("AVOCET_TLS_KEY")};
}

std::optional<TlsOptions> DefaultAdminCertificate() {
  std::optional<TlsOptions> found;
  std::error_code ignored; // a folder that is not there has no certificates
  for (const auto& entry : std::filesystem::directory_iterator(DefaultTlsDir(), ignored)) {
    const auto& folder = entry.path();
    if (!folder.filename().string().starts_with("admin-")) continue;
    if (found) return std::nullopt;
    found = TlsOptions{folder / "ca.pem", folder / "cert.pem", folder / "key.pem"};
  }
  return found;
}

} // namespace avocet

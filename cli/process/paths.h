#pragma once

#include <filesystem>
#include <optional>

#include "messages/tls/tls.h"

namespace avocet {

/// Where engines and sample models are: AVOCET_PREFIX, else /opt/avocet.
std::filesystem::path EnginePrefix();
/// The sample models below it.
std::filesystem::path SampleModels();
/// Where `avocet dev` keeps its data: XDG_DATA_HOME, else ~/.local/share, else the temporary folder.
std::filesystem::path DefaultDevDataDir();
/// Where `avocet tls` keeps the authority: XDG_CONFIG_HOME/avocet/tls, else ~/.config/avocet/tls, else ./tls.
std::filesystem::path DefaultTlsDir();
/// The certificate of role admin in there; nullopt when there is none, or more than one.
std::optional<TlsOptions> DefaultAdminCertificate();

/// AVOCET_TLS_CA, AVOCET_TLS_CERT, AVOCET_TLS_KEY; empty where unset.
TlsOptions EnvironmentTls();

} // namespace avocet

#pragma once

#include <filesystem>

namespace avocet {

/// Where engines and sample models are: AVOCET_PREFIX, else /opt/avocet.
std::filesystem::path EnginePrefix();
/// The sample models below it.
std::filesystem::path SampleModels();
/// Where `avocet dev` keeps its data: XDG_DATA_HOME, else ~/.local/share, else the temporary folder.
std::filesystem::path DefaultDevDataDir();

} // namespace avocet

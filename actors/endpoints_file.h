#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "messages/status.h"

namespace avocet {

/// Writes `<data_dir>/endpoints.json`, atomically: others learn from it which addresses were bound.
Status WriteEndpoints(const std::filesystem::path& data_dir, const std::map<std::string, std::string>& addresses);

} // namespace avocet

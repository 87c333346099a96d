#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "messages/status.h"

namespace avocet {

/// A file of data, read whole; kNotFound, or kResourceExhausted beyond `most_bytes`.
Result<std::string> ReadWholeFile(const std::filesystem::path& file, size_t most_bytes);

} // namespace avocet

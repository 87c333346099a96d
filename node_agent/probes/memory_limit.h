#pragma once

#include <cstdint>
#include <filesystem>

namespace avocet {

/// What this process may have of the machine's memory, in bytes: all of it, or less where a control group (version 1 or
/// 2) bounds it. 0 where nothing tells. `root` is "/" or, in tests, a tree like it.
uint64_t MemoryLimit(const std::filesystem::path& root = "/");

/// What requests and answers may take of that: an eighth, at least 32 MiB and at most 512 MiB.
uint64_t MemoryForRequests(uint64_t memory_limit);

} // namespace avocet

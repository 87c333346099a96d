#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// Resident bytes of this process; 0 when the kernel does not say.
uint64_t ResidentBytes();

/// CPU time that the calling thread has used.
Duration ThreadCpuTime();

/// Gives freed heap back to the operating system; glibc would keep most of a large model's.
void ReturnFreedMemory();

/// Runs `load` and, when that is well, says by how much it made this process grow; at least the size of
/// the model's file.
Status MeasureMemory(const std::filesystem::path& file, const std::function<Status()>& load, uint64_t& memory_bytes);

} // namespace avocet

#pragma once

#include <cstdint>

#include "messages/units.h"

namespace avocet {

/// Resident bytes of this process; 0 when the kernel does not say.
uint64_t ResidentBytes();

/// CPU time that the calling thread has used.
Duration ThreadCpuTime();

/// Gives freed heap back to the operating system; glibc would keep most of a large model's.
void ReturnFreedMemory();

} // namespace avocet

#pragma once

#include <filesystem>
#include <memory>

#include "messages/device.h"
#include "node_agent/engine.h"

namespace avocet {

/// TensorFlow Lite on the CPU with the XNNPACK kernels, one thread: the caller's. The library is
/// `<prefix>/lib/libtensorflowlite_c.so`, loaded at run time; kUnsupported says how to install it.
/// `discipline` decides what attained_service means: under kFifo the wall time of copying inputs,
/// running and copying outputs; under kTimeShared the thread's CPU time, since the wall time then
/// also holds what the other models took. A run cannot be cancelled. String tensors are refused.
Result<std::unique_ptr<Engine>> MakeTfliteEngine(const std::filesystem::path& prefix, Discipline discipline);

} // namespace avocet

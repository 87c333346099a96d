#pragma once

#include <filesystem>
#include <memory>

#include "messages/device.h"
#include "node_agent/engines/engine.h"

namespace avocet {

/// TensorFlow Lite on the CPU with the XNNPACK kernels, one thread: the caller's. The library is
/// `<prefix>/lib/libtensorflowlite_c.so`, loaded at run time; kUnsupported says how to install it.
/// `discipline` decides what attained_service means: under kFifo the wall time of copying inputs,
/// running and copying outputs; under kTimeShared the thread's CPU time, since the wall time then
/// also holds what the other models took. A run cannot be cancelled. String tensors are refused.
Result<std::unique_ptr<Engine>> MakeTfliteEngine(const std::filesystem::path& prefix, Discipline discipline);

/// TensorFlow Lite with the ops that Coral's compiler made on the first Coral accelerator, the others on the
/// calling thread. Serves one request at a time. `edgetpu_library` is a path, or a name that the system's loader
/// finds; kUnsupported says what is missing. A model without such ops is kInvalidArgument.
Result<std::unique_ptr<Engine>> MakeEdgeTpuEngine(const std::filesystem::path& prefix,
                                                  const std::filesystem::path& edgetpu_library);

/// The Debian package of Coral's archive that brings that library.
inline constexpr const char* kEdgeTpuPackage = "libedgetpu1-std";

} // namespace avocet

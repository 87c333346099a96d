#pragma once

#include <cstdint>
#include <memory>

#include "messages/status.h"
#include "node_agent/engines/onnx_api.h"

namespace avocet {

/// The memory that ONNX Runtime takes for its sessions on the CPU, from the C library's heap in place of arenas of its
/// own: those keep for ever what the largest run ever took, and know no bound for one run. As quick as they are, since
/// a run takes few, large blocks. The environment that it is registered with is one for the whole process; the last
/// owner's end unregisters it. Thread-safe.
class OnnxMemory {
public:
  static Result<std::shared_ptr<const OnnxMemory>> Register(std::shared_ptr<const OnnxApi> api, OrtEnv* env);
  ~OnnxMemory();
  OnnxMemory(const OnnxMemory&) = delete;
  OnnxMemory& operator=(const OnnxMemory&) = delete;

  /// For sessions that take their memory from here.
  Status Use(OrtSessionOptions* options) const;

private:
  OnnxMemory(std::shared_ptr<const OnnxApi> api, OrtEnv* env) : api_(std::move(api)), env_(env) {}

  const std::shared_ptr<const OnnxApi> api_;
  OrtEnv* const env_;
};

/// Bounds what this thread takes of OnnxMemory while it lives; more is std::bad_alloc, which the library catches and
/// calls a failure. To be used around one run, whose helpers are this thread. One at a time for each thread.
class OnnxRunLimit {
public:
  explicit OnnxRunLimit(uint64_t bytes);
  ~OnnxRunLimit();
  OnnxRunLimit(const OnnxRunLimit&) = delete;
  OnnxRunLimit& operator=(const OnnxRunLimit&) = delete;

  bool was_passed() const; ///< something was not given
  uint64_t peak() const;   ///< the most that was taken at once
};

} // namespace avocet

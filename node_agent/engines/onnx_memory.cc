#include "node_agent/engines/onnx_memory.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <new>
#include <utility>

extern "C" {
/// As onnxruntime_c_api.h has it, up to the version that we ask for.
struct OrtAllocator {
  uint32_t version;
  void* (*Alloc)(OrtAllocator*, size_t bytes);
  void (*Free)(OrtAllocator*, void* block);
  const OrtMemoryInfo* (*Info)(const OrtAllocator*);
  void* (*Reserve)(OrtAllocator*, size_t bytes);
};
}

namespace avocet {
namespace {

// Enumerations of onnxruntime_c_api.h.
constexpr int kDeviceAllocator = 0;
constexpr int kDefaultMemory = 0;

/// Before each block, whose size stands there. The library's kernels like blocks on a cache line.
constexpr size_t kHeader = 64;

/// Of the run that this thread makes.
struct RunUse {
  uint64_t limit = std::numeric_limits<uint64_t>::max();
  int64_t bytes = 0; ///< taken less freed: below 0 when the run freed what was there before
  int64_t peak = 0;
  bool was_passed = false;
};
thread_local RunUse run_use;

/// Throws where it cannot give: the library looks for exceptions, not for null.
void* Allocate(OrtAllocator*, size_t bytes) {
  if (bytes == 0) return nullptr;
  RunUse& use = run_use;
  const uint64_t in_use = use.bytes > 0 ? static_cast<uint64_t>(use.bytes) : 0;
  if (bytes > use.limit || in_use > use.limit - bytes) {
    use.was_passed = true;
    throw std::bad_alloc();
  }
  const size_t whole = (bytes + 2 * kHeader - 1) / kHeader * kHeader;
  auto* memory = bytes < whole ? static_cast<char*>(std::aligned_alloc(kHeader, whole)) : nullptr;
  if (memory == nullptr) throw std::bad_alloc();

  *reinterpret_cast<size_t*>(memory) = bytes;
  use.bytes += static_cast<int64_t>(bytes);
  use.peak = std::max(use.peak, use.bytes);
  return memory + kHeader;
}

void Free(OrtAllocator*, void* block) {
  if (block == nullptr) return;
  auto* memory = static_cast<char*>(block) - kHeader;
  run_use.bytes -= static_cast<int64_t>(*reinterpret_cast<size_t*>(memory));
  std::free(memory);
}

/// What the process's one environment knows of us.
struct Registration {
  std::mutex mutex;
  size_t owners = 0;
  OrtMemoryInfo* info = nullptr; ///< while there are owners
};
Registration& TheRegistration() {
  static Registration registration;
  return registration;
}

const OrtMemoryInfo* Info(const OrtAllocator*) {
  return TheRegistration().info;
}

OrtAllocator& TheAllocator() {
  static OrtAllocator allocator{kOnnxApiVersion, Allocate, Free, Info, Allocate};
  return allocator;
}

} // namespace

Result<std::shared_ptr<const OnnxMemory>> OnnxMemory::Register(std::shared_ptr<const OnnxApi> api, OrtEnv* env) {
  Registration& all = TheRegistration();
  const std::lock_guard lock(all.mutex);
  if (all.owners == 0) {
    AVOCET_RETURN_IF_ERROR(
        api->Take(api->CreateCpuMemoryInfo(kDeviceAllocator, kDefaultMemory, &all.info), StatusCode::kInternal));
    if (const Status status = api->Take(api->RegisterAllocator(env, &TheAllocator()), StatusCode::kInternal);
        !status.ok()) {
      api->ReleaseMemoryInfo(std::exchange(all.info, nullptr));
      return status;
    }
  }
  ++all.owners;
  return std::shared_ptr<const OnnxMemory>(new OnnxMemory(std::move(api), env));
}

OnnxMemory::~OnnxMemory() {
  Registration& all = TheRegistration();
  const std::lock_guard lock(all.mutex);
  if (--all.owners > 0) return;
  (void)api_->Take(api_->UnregisterAllocator(env_, all.info), StatusCode::kInternal); // it is registered
  api_->ReleaseMemoryInfo(std::exchange(all.info, nullptr));
}

Status OnnxMemory::Use(OrtSessionOptions* options) const {
  return api_->Take(api_->AddSessionConfigEntry(options, "session.use_env_allocators", "1"), StatusCode::kInternal);
}

OnnxRunLimit::OnnxRunLimit(uint64_t bytes) {
  run_use = {.limit = bytes};
}

OnnxRunLimit::~OnnxRunLimit() {
  run_use = {};
}

bool OnnxRunLimit::was_passed() const {
  return run_use.was_passed;
}

uint64_t OnnxRunLimit::peak() const {
  return static_cast<uint64_t>(run_use.peak);
}

} // namespace avocet

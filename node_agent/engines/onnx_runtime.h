#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"
#include "node_agent/engines/onnx_api.h"
#include "node_agent/engines/onnx_memory.h"

namespace avocet {

/// What runs a graph's nodes besides the CPU, in order of preference.
enum class OnnxProvider { kTensorRt, kCuda };
std::string_view ToString(OnnxProvider provider); ///< "TensorRT", "CUDA"

/// A loaded ONNX Runtime with its environment, released with the last owner: a library that is still
/// set up when the process ends can hang in its own destructors. Thread-safe.
class OnnxRuntime {
public:
  /// Opens `<prefix>/lib/libonnxruntime.so.1`; kUnsupported says what is wrong and how to install it.
  static Result<std::shared_ptr<const OnnxRuntime>> Open(const std::filesystem::path& prefix);
  ~OnnxRuntime();
  OnnxRuntime(const OnnxRuntime&) = delete;
  OnnxRuntime& operator=(const OnnxRuntime&) = delete;

  const OnnxApi& api() const { return *api_; }
  OrtEnv* env() const { return env_; }
  OrtAllocator* allocator() const { return allocator_; } ///< of the library's own heap
  const OrtMemoryInfo* host() const { return host_; }    ///< describes memory of this process
  const OnnxMemory& memory() const { return *memory_; }

  /// Appends a provider for the first GPU. What the library was compiled with says little: only this tells
  /// whether its provider library, CUDA and the driver are there. kUnsupported with the library's reason.
  Status Append(OrtSessionOptions* options, OnnxProvider provider) const;

private:
  explicit OnnxRuntime(std::shared_ptr<const OnnxApi> api);
  Status SetUp();

  std::shared_ptr<const OnnxApi> api_;
  OrtEnv* env_ = nullptr;
  OrtMemoryInfo* host_ = nullptr;
  OrtAllocator* allocator_ = nullptr; // the library's
  std::shared_ptr<const OnnxMemory> memory_;
};

/// A provider, and why it cannot be used; ok when it can.
struct OnnxProviderState {
  OnnxProvider provider = OnnxProvider::kTensorRt;
  Status status;
};

/// Tries each provider on scratch options.
std::vector<OnnxProviderState> ProbeProviders(const OnnxRuntime& runtime);

} // namespace avocet

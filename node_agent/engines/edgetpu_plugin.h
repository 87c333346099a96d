#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <utility>

#include "messages/status.h"
#include "node_agent/engines/shared_library.h"
#include "node_agent/engines/tflite_api.h"

namespace avocet {

/// The plug-in that Coral's runtime, libedgetpu, brings for TensorFlow Lite. Immutable after Load(); Create()
/// may be called by several threads.
///
/// TensorFlow Lite's own loader of such plug-ins is not used: given one that is missing or refuses, it returns a
/// delegate that crashes when it is used.
class EdgeTpuPlugin {
public:
  /// The op that Coral's compiler leaves in a model for the accelerator.
  static constexpr const char* kOp = "edgetpu-custom-op";

  using Delegate = std::unique_ptr<TfLiteDelegate, void (*)(TfLiteDelegate*)>;

  /// `library` is a path, or a name that the system's loader finds. kNotFound, or kUnsupported when it is no
  /// such plug-in.
  static Result<std::shared_ptr<const EdgeTpuPlugin>> Load(const std::filesystem::path& library);
  explicit EdgeTpuPlugin(SharedLibrary library) : library_(std::move(library)) {}

  /// A delegate for the first accelerator; it must outlive the interpreter that uses it. kUnavailable with the
  /// plug-in's reason: none attached, no permission, in use.
  Result<Delegate> Create() const;

private:
  SharedLibrary library_;
  TfLiteDelegate* (*create_)(char** keys, char** values, size_t count, void (*report)(const char*)) = nullptr;
  void (*destroy_)(TfLiteDelegate*) = nullptr;
};

} // namespace avocet

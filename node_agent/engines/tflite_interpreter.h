#pragma once

#include <memory>
#include <string>
#include <vector>

#include "messages/status.h"
#include "node_agent/engines/edgetpu_plugin.h"
#include "node_agent/engines/tflite_api.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// What TensorFlow Lite said since the last Take(). One interpreter's reporter is called by one thread at a time.
class TfliteErrors {
public:
  static void Report(void* self, const char* format, va_list args);
  std::string Take(); ///< "no reason given" where it said nothing

private:
  void Append(const char* line);
  std::string text_;
};

/// A model made ready for one set of input shapes: kernels are chosen, weights packed and memory laid out for them.
/// For one thread at a time. Refers to the model that it was made of.
class TfliteInterpreter {
public:
  enum class Kernels { kPlain, kXnnpack, kEdgeTpu };
  using Shapes = std::vector<std::vector<int64_t>>; ///< of the inputs, in order

  struct Setup {
    std::shared_ptr<const TfliteApi> api;
    std::shared_ptr<const EdgeTpuPlugin> edgetpu; ///< never null with kEdgeTpu
    const TfLiteModel* model = nullptr;
    Kernels kernels = Kernels::kXnnpack;
  };

  /// kInvalidArgument with the library's reason; kUnavailable: the accelerator cannot be had.
  static Result<std::unique_ptr<TfliteInterpreter>> Make(const Setup& setup, const Shapes& shapes);
  ~TfliteInterpreter();
  TfliteInterpreter(const TfliteInterpreter&) = delete;
  TfliteInterpreter& operator=(const TfliteInterpreter&) = delete;

  const Shapes& shapes() const { return shapes_; }
  /// kInvalidArgument when the size is another one than the shape asks for.
  Status SetInput(size_t index, std::span<const std::byte> data);
  Status Run();
  /// After Run(). The name is the model's.
  Result<Tensor> Output(size_t index, const std::string& name) const;

private:
  template <class T> using Handle = std::unique_ptr<T, void (*)(T*)>;

  TfliteInterpreter(const Setup& setup, const Shapes& shapes);
  Status Open(const Setup& setup);
  Status AddXnnpack();
  Status Resize();

  std::shared_ptr<const TfliteApi> api_;
  Shapes shapes_;
  TfliteErrors errors_; // outlives the interpreter that reports to it
  Handle<TfLiteDelegate> delegate_;
  Handle<TfLiteInterpreterOptions> options_;
  Handle<TfLiteInterpreter> interpreter_;
};

} // namespace avocet

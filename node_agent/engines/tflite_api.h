#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

#include "messages/status.h"
#include "node_agent/engines/shared_library.h"

// The part of the TensorFlow Lite C API (2.9) that the engine uses, declared here so that building
// needs none of its headers: the library is an optional, separately installed file.
extern "C" {
struct TfLiteModel;
struct TfLiteInterpreterOptions;
struct TfLiteInterpreter;
struct TfLiteTensor;
struct TfLiteDelegate;
struct TfLiteContext;
struct TfLiteNode;

/// tensorflow/lite/c/common.h; layout is fixed by the library.
struct TfLiteRegistration {
  void* (*init)(TfLiteContext*, const char*, size_t);
  void (*free)(TfLiteContext*, void*);
  int (*prepare)(TfLiteContext*, TfLiteNode*);
  int (*invoke)(TfLiteContext*, TfLiteNode*);
  const char* (*profiling_string)(const TfLiteContext*, const TfLiteNode*);
  int32_t builtin_code;
  const char* custom_name;
  int version;
};

/// Eight bytes in the 2.9 library (its OptionsDefault returns one register); no shipped header has it.
struct TfLiteXNNPackDelegateOptions {
  int32_t num_threads;
  uint32_t flags;
};
}

namespace avocet {

/// The functions of one loaded libtensorflowlite_c.so. Immutable after Load(), so shared freely.
struct TfliteApi {
  /// kNotFound, or kUnsupported when it is not the library that we know.
  static Result<std::shared_ptr<const TfliteApi>> Load(const std::filesystem::path& file);
  explicit TfliteApi(SharedLibrary opened) : library(std::move(opened)) {}

  SharedLibrary library;
  const char* (*Version)() = nullptr;
  TfLiteModel* (*ModelCreateFromFile)(const char*) = nullptr;
  void (*ModelDelete)(TfLiteModel*) = nullptr;
  TfLiteInterpreterOptions* (*OptionsCreate)() = nullptr;
  void (*OptionsDelete)(TfLiteInterpreterOptions*) = nullptr;
  void (*OptionsSetNumThreads)(TfLiteInterpreterOptions*, int32_t) = nullptr;
  void (*OptionsAddDelegate)(TfLiteInterpreterOptions*, TfLiteDelegate*) = nullptr;
  void (*OptionsAddCustomOp)(TfLiteInterpreterOptions*, const char*, const TfLiteRegistration*, int32_t,
                             int32_t) = nullptr;
  void (*OptionsSetErrorReporter)(TfLiteInterpreterOptions*, void (*)(void*, const char*, va_list), void*) = nullptr;
  TfLiteInterpreter* (*InterpreterCreate)(const TfLiteModel*, const TfLiteInterpreterOptions*) = nullptr;
  void (*InterpreterDelete)(TfLiteInterpreter*) = nullptr;
  int (*ResizeInput)(TfLiteInterpreter*, int32_t input, const int* extents, int32_t rank) = nullptr;
  int (*ModifyGraph)(const TfLiteInterpreter*, TfLiteDelegate*) = nullptr;
  int (*AllocateTensors)(TfLiteInterpreter*) = nullptr;
  int (*Invoke)(TfLiteInterpreter*) = nullptr;
  int32_t (*InputCount)(const TfLiteInterpreter*) = nullptr;
  TfLiteTensor* (*Input)(const TfLiteInterpreter*, int32_t) = nullptr;
  int32_t (*OutputCount)(const TfLiteInterpreter*) = nullptr;
  const TfLiteTensor* (*Output)(const TfLiteInterpreter*, int32_t) = nullptr;
  int (*TensorType)(const TfLiteTensor*) = nullptr;
  int32_t (*TensorNumDims)(const TfLiteTensor*) = nullptr;
  int32_t (*TensorDim)(const TfLiteTensor*, int32_t) = nullptr;
  size_t (*TensorByteSize)(const TfLiteTensor*) = nullptr;
  void* (*TensorData)(const TfLiteTensor*) = nullptr;
  const char* (*TensorName)(const TfLiteTensor*) = nullptr;
  TfLiteXNNPackDelegateOptions (*XnnpackOptionsDefault)() = nullptr;
  TfLiteDelegate* (*XnnpackCreate)(const TfLiteXNNPackDelegateOptions*) = nullptr;
  void (*XnnpackDelete)(TfLiteDelegate*) = nullptr;
};

} // namespace avocet

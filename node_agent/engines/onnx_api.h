#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "messages/status.h"
#include "node_agent/engines/shared_library.h"

// The part of the ONNX Runtime C API that the engine uses, declared here so that building needs none
// of its headers: the library is an optional, separately installed file.
extern "C" {
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtAllocator;
struct OrtMemoryInfo;
struct OrtCUDAProviderOptionsV2;
struct OrtTensorRTProviderOptionsV2;
}

namespace avocet {

/// The version of the API that we ask for: that of ONNX Runtime 1.21. The library's table of functions
/// only ever grows at its end, so any library from 1.21 on has these at the same places.
inline constexpr uint32_t kOnnxApiVersion = 21;

/// One function of the library's table, bound by its place there.
template <size_t place, class Signature> struct OnnxFunction;
template <size_t place, class Return, class... Arguments> struct OnnxFunction<place, Return(Arguments...)> {
  static constexpr size_t kPlace = place;
  explicit OnnxFunction(void* const* table)
      : function(reinterpret_cast<Return (*)(Arguments...)>(table[place])) {} // NOLINT: the table is untyped here
  Return operator()(Arguments... arguments) const { return function(arguments...); }
  Return (*function)(Arguments...);
};

/// The functions of one loaded libonnxruntime. Enumerations are ints here. A function that can fail
/// returns nullptr, or a status that Take() releases. Immutable after Load(), so shared freely.
struct OnnxApi {
  /// kNotFound, or kUnsupported when it is not the library that we know or an older one.
  static Result<std::shared_ptr<const OnnxApi>> Load(const std::filesystem::path& file);
  OnnxApi(SharedLibrary opened, std::string its_version, void* const* its_table)
      : library(std::move(opened)), version(std::move(its_version)), table(its_table) {}

  /// What a failed call said, released; ok for nullptr. `otherwise` unless the library has a better code.
  Status Take(OrtStatus* status, StatusCode otherwise) const;

  template <size_t place, class Signature> using Fn = OnnxFunction<place, Signature>;
  using S = OrtStatus*;

  SharedLibrary library;
  std::string version; ///< of the library, e.g. "1.24.3"
  void* const* table;

  Fn<1, int(const OrtStatus*)> GetErrorCode{table};
  Fn<2, const char*(const OrtStatus*)> GetErrorMessage{table};
  Fn<3, S(int log_level, const char* log_id, OrtEnv**)> CreateEnv{table};
  Fn<6, S(const OrtEnv*)> DisableTelemetryEvents{table};
  Fn<8, S(const OrtEnv*, const void* model, size_t bytes, const OrtSessionOptions*, OrtSession**)>
      CreateSessionFromArray{table};
  Fn<9, S(OrtSession*, const OrtRunOptions*, const char* const* input_names, const OrtValue* const* inputs, size_t,
          const char* const* output_names, size_t, OrtValue** outputs)>
      Run{table};
  Fn<10, S(OrtSessionOptions**)> CreateSessionOptions{table};
  Fn<13, S(OrtSessionOptions*, int mode)> SetSessionExecutionMode{table};
  Fn<23, S(OrtSessionOptions*, int level)> SetSessionGraphOptimizationLevel{table};
  Fn<24, S(OrtSessionOptions*, int threads)> SetIntraOpNumThreads{table};
  Fn<25, S(OrtSessionOptions*, int threads)> SetInterOpNumThreads{table};
  Fn<30, S(const OrtSession*, size_t*)> SessionGetInputCount{table};
  Fn<31, S(const OrtSession*, size_t*)> SessionGetOutputCount{table};
  Fn<33, S(const OrtSession*, size_t, OrtTypeInfo**)> SessionGetInputTypeInfo{table};
  Fn<34, S(const OrtSession*, size_t, OrtTypeInfo**)> SessionGetOutputTypeInfo{table};
  Fn<36, S(const OrtSession*, size_t, OrtAllocator*, char**)> SessionGetInputName{table};
  Fn<37, S(const OrtSession*, size_t, OrtAllocator*, char**)> SessionGetOutputName{table};
  Fn<39, S(OrtRunOptions**)> CreateRunOptions{table};
  Fn<46, S(OrtRunOptions*)> RunOptionsSetTerminate{table};
  Fn<48, S(OrtAllocator*, const int64_t* shape, size_t rank, int type, OrtValue**)> CreateTensorAsOrtValue{table};
  Fn<49, S(const OrtMemoryInfo*, void* data, size_t bytes, const int64_t* shape, size_t rank, int type, OrtValue**)>
      CreateTensorWithDataAsOrtValue{table};
  Fn<50, S(const OrtValue*, int*)> IsTensor{table};
  Fn<51, S(OrtValue*, void**)> GetTensorMutableData{table};
  Fn<53, S(const OrtValue*, size_t*)> GetStringTensorDataLength{table};
  Fn<54, S(const OrtValue*, void* text, size_t bytes, size_t* offsets, size_t count)> GetStringTensorContent{table};
  Fn<55, S(const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**)> CastTypeInfoToTensorInfo{table};
  Fn<60, S(const OrtTensorTypeAndShapeInfo*, int*)> GetTensorElementType{table};
  Fn<61, S(const OrtTensorTypeAndShapeInfo*, size_t*)> GetDimensionsCount{table};
  Fn<62, S(const OrtTensorTypeAndShapeInfo*, int64_t*, size_t)> GetDimensions{table};
  Fn<65, S(const OrtValue*, OrtTensorTypeAndShapeInfo**)> GetTensorTypeAndShape{table};
  Fn<69, S(int allocator, int memory, OrtMemoryInfo**)> CreateCpuMemoryInfo{table};
  Fn<76, S(OrtAllocator*, void*)> AllocatorFree{table};
  Fn<78, S(OrtAllocator**)> GetAllocatorWithDefaultOptions{table};
  Fn<92, void(OrtEnv*)> ReleaseEnv{table};
  Fn<93, void(OrtStatus*)> ReleaseStatus{table};
  Fn<94, void(OrtMemoryInfo*)> ReleaseMemoryInfo{table};
  Fn<95, void(OrtSession*)> ReleaseSession{table};
  Fn<96, void(OrtValue*)> ReleaseValue{table};
  Fn<97, void(OrtRunOptions*)> ReleaseRunOptions{table};
  Fn<98, void(OrtTypeInfo*)> ReleaseTypeInfo{table};
  Fn<99, void(OrtTensorTypeAndShapeInfo*)> ReleaseTensorTypeAndShapeInfo{table};
  Fn<100, void(OrtSessionOptions*)> ReleaseSessionOptions{table};
  Fn<130, S(OrtSessionOptions*, const char* key, const char* value)> AddSessionConfigEntry{table};
  Fn<170, S(OrtSessionOptions*, const OrtTensorRTProviderOptionsV2*)> SessionOptionsAppendExecutionProvider_TensorRT_V2{
      table};
  Fn<171, S(OrtTensorRTProviderOptionsV2**)> CreateTensorRTProviderOptions{table};
  Fn<172, S(OrtTensorRTProviderOptionsV2*, const char* const* keys, const char* const* values, size_t)>
      UpdateTensorRTProviderOptions{table};
  Fn<174, void(OrtTensorRTProviderOptionsV2*)> ReleaseTensorRTProviderOptions{table};
  Fn<176, S(OrtEnv*, OrtAllocator*)> RegisterAllocator{table};
  Fn<177, S(OrtEnv*, const OrtMemoryInfo*)> UnregisterAllocator{table};
  Fn<204, S(OrtSessionOptions*, const OrtCUDAProviderOptionsV2*)> SessionOptionsAppendExecutionProvider_CUDA_V2{table};
  Fn<205, S(OrtCUDAProviderOptionsV2**)> CreateCUDAProviderOptions{table};
  Fn<206, S(OrtCUDAProviderOptionsV2*, const char* const* keys, const char* const* values, size_t)>
      UpdateCUDAProviderOptions{table};
  Fn<208, void(OrtCUDAProviderOptionsV2*)> ReleaseCUDAProviderOptions{table};
  Fn<252, S(OrtValue*, size_t index, size_t bytes, char** buffer)> GetResizedStringTensorElementBuffer{table};
};

} // namespace avocet

#include "node_agent/engines/onnx_api.h"

#include <cstddef>

#include <gtest/gtest.h>

// The header that deploy/install-engines brings where it can; it has the same opaque types.
#include <onnxruntime_c_api.h>

namespace avocet {
namespace {

#define EXPECT_AT_ITS_PLACE(Function)                                                                                  \
  EXPECT_EQ(decltype(OnnxApi::Function)::kPlace, offsetof(OrtApi, Function) / sizeof(void*)) << #Function

TEST(OnnxApi, EveryFunctionStandsWhereTheHeaderHasIt) {
  EXPECT_AT_ITS_PLACE(GetErrorCode);
  EXPECT_AT_ITS_PLACE(GetErrorMessage);
  EXPECT_AT_ITS_PLACE(CreateEnv);
  EXPECT_AT_ITS_PLACE(DisableTelemetryEvents);
  EXPECT_AT_ITS_PLACE(CreateSessionFromArray);
  EXPECT_AT_ITS_PLACE(Run);
  EXPECT_AT_ITS_PLACE(CreateSessionOptions);
  EXPECT_AT_ITS_PLACE(SetSessionExecutionMode);
  EXPECT_AT_ITS_PLACE(SetSessionGraphOptimizationLevel);
  EXPECT_AT_ITS_PLACE(SetIntraOpNumThreads);
  EXPECT_AT_ITS_PLACE(SetInterOpNumThreads);
  EXPECT_AT_ITS_PLACE(SessionGetInputCount);
  EXPECT_AT_ITS_PLACE(SessionGetOutputCount);
  EXPECT_AT_ITS_PLACE(SessionGetInputTypeInfo);
  EXPECT_AT_ITS_PLACE(SessionGetOutputTypeInfo);
  EXPECT_AT_ITS_PLACE(SessionGetInputName);
  EXPECT_AT_ITS_PLACE(SessionGetOutputName);
  EXPECT_AT_ITS_PLACE(CreateRunOptions);
  EXPECT_AT_ITS_PLACE(RunOptionsSetTerminate);
  EXPECT_AT_ITS_PLACE(CreateTensorAsOrtValue);
  EXPECT_AT_ITS_PLACE(CreateTensorWithDataAsOrtValue);
  EXPECT_AT_ITS_PLACE(IsTensor);
  EXPECT_AT_ITS_PLACE(GetTensorMutableData);
  EXPECT_AT_ITS_PLACE(GetStringTensorDataLength);
  EXPECT_AT_ITS_PLACE(GetStringTensorContent);
  EXPECT_AT_ITS_PLACE(CastTypeInfoToTensorInfo);
  EXPECT_AT_ITS_PLACE(GetTensorElementType);
  EXPECT_AT_ITS_PLACE(GetDimensionsCount);
  EXPECT_AT_ITS_PLACE(GetDimensions);
  EXPECT_AT_ITS_PLACE(GetTensorTypeAndShape);
  EXPECT_AT_ITS_PLACE(CreateCpuMemoryInfo);
  EXPECT_AT_ITS_PLACE(AllocatorFree);
  EXPECT_AT_ITS_PLACE(GetAllocatorWithDefaultOptions);
  EXPECT_AT_ITS_PLACE(ReleaseEnv);
  EXPECT_AT_ITS_PLACE(ReleaseStatus);
  EXPECT_AT_ITS_PLACE(ReleaseMemoryInfo);
  EXPECT_AT_ITS_PLACE(ReleaseSession);
  EXPECT_AT_ITS_PLACE(ReleaseValue);
  EXPECT_AT_ITS_PLACE(ReleaseRunOptions);
  EXPECT_AT_ITS_PLACE(ReleaseTypeInfo);
  EXPECT_AT_ITS_PLACE(ReleaseTensorTypeAndShapeInfo);
  EXPECT_AT_ITS_PLACE(ReleaseSessionOptions);
  EXPECT_AT_ITS_PLACE(AddSessionConfigEntry);
  EXPECT_AT_ITS_PLACE(CreateTensorRTProviderOptions);
  EXPECT_AT_ITS_PLACE(UpdateTensorRTProviderOptions);
  EXPECT_AT_ITS_PLACE(ReleaseTensorRTProviderOptions);
  EXPECT_AT_ITS_PLACE(RegisterAllocator);
  EXPECT_AT_ITS_PLACE(UnregisterAllocator);
  EXPECT_AT_ITS_PLACE(SessionOptionsAppendExecutionProvider_CUDA_V2);
  EXPECT_AT_ITS_PLACE(CreateCUDAProviderOptions);
  EXPECT_AT_ITS_PLACE(UpdateCUDAProviderOptions);
  EXPECT_AT_ITS_PLACE(ReleaseCUDAProviderOptions);
  EXPECT_AT_ITS_PLACE(GetResizedStringTensorElementBuffer);
}

TEST(OnnxApi, TheHeaderIsOfTheVersionThatWeAskFor) {
  EXPECT_EQ(kOnnxApiVersion, static_cast<uint32_t>(ORT_API_VERSION));
}

} // namespace
} // namespace avocet

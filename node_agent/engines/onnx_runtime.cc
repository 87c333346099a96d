#include "node_agent/engines/onnx_runtime.h"

#include <array>
#include <cstdlib>
#include <utility>

namespace avocet {
namespace {

// Enumerations of onnxruntime_c_api.h.
constexpr int kLogFatal = 4; // errors come back as statuses
constexpr int kDeviceAllocator = 0;
constexpr int kDefaultMemory = 0;

constexpr const char* kOptionsFromModel = "ORT_LOAD_CONFIG_FROM_MODEL";

constexpr std::array kFirstGpuKeys{"device_id"};
constexpr std::array kFirstGpuValues{"0"};

template <class T> using Handle = std::unique_ptr<T, void (*)(T*)>;

Status AppendTensorRt(const OnnxApi& api, OrtSessionOptions* options) {
  OrtTensorRTProviderOptionsV2* created = nullptr;
  AVOCET_RETURN_IF_ERROR(api.Take(api.CreateTensorRTProviderOptions(&created), StatusCode::kUnsupported));
  const Handle<OrtTensorRTProviderOptionsV2> tensorrt(created, api.ReleaseTensorRTProviderOptions.function);
  AVOCET_RETURN_IF_ERROR(api.Take(
      api.UpdateTensorRTProviderOptions(created, kFirstGpuKeys.data(), kFirstGpuValues.data(), kFirstGpuKeys.size()),
      StatusCode::kUnsupported));
  return api.Take(api.SessionOptionsAppendExecutionProvider_TensorRT_V2(options, created), StatusCode::kUnsupported);
}

Status AppendCuda(const OnnxApi& api, OrtSessionOptions* options) {
  OrtCUDAProviderOptionsV2* created = nullptr;
  AVOCET_RETURN_IF_ERROR(api.Take(api.CreateCUDAProviderOptions(&created), StatusCode::kUnsupported));
  const Handle<OrtCUDAProviderOptionsV2> cuda(created, api.ReleaseCUDAProviderOptions.function);
  AVOCET_RETURN_IF_ERROR(api.Take(
      api.UpdateCUDAProviderOptions(created, kFirstGpuKeys.data(), kFirstGpuValues.data(), kFirstGpuKeys.size()),
      StatusCode::kUnsupported));
  return api.Take(api.SessionOptionsAppendExecutionProvider_CUDA_V2(options, created), StatusCode::kUnsupported);
}

} // namespace

std::string_view ToString(OnnxProvider provider) {
  return provider == OnnxProvider::kTensorRt ? "TensorRT" : "CUDA";
}

OnnxRuntime::OnnxRuntime(std::shared_ptr<const OnnxApi> api) : api_(std::move(api)) {}

OnnxRuntime::~OnnxRuntime() {
  memory_.reset(); // before the environment
  if (host_ != nullptr) api_->ReleaseMemoryInfo(host_);
  if (env_ != nullptr) api_->ReleaseEnv(env_);
}

Status OnnxRuntime::SetUp() {
  AVOCET_RETURN_IF_ERROR(api_->Take(api_->CreateEnv(kLogFatal, "avocet", &env_), StatusCode::kInternal));
  AVOCET_RETURN_IF_ERROR(api_->Take(api_->DisableTelemetryEvents(env_), StatusCode::kInternal));
  AVOCET_RETURN_IF_ERROR(
      api_->Take(api_->CreateCpuMemoryInfo(kDeviceAllocator, kDefaultMemory, &host_), StatusCode::kInternal));
  AVOCET_RETURN_IF_ERROR(api_->Take(api_->GetAllocatorWithDefaultOptions(&allocator_), StatusCode::kInternal));
  AVOCET_ASSIGN_OR_RETURN(memory_, OnnxMemory::Register(api_, env_));
  return {};
}

Result<std::shared_ptr<const OnnxRuntime>> OnnxRuntime::Open(const std::filesystem::path& prefix) {
  // Set, it makes the library take the options of a session from the model, which is anybody's.
  if (std::getenv(kOptionsFromModel) != nullptr) // NOLINT(concurrency-mt-unsafe): nobody sets it here
    return Unsupported(std::string(kOptionsFromModel) + " is set, with which models choose their session's options; "
                                                        "unset it");
  auto api = OnnxApi::Load(prefix / "lib" / "libonnxruntime.so.1");
  if (!api.ok()) return Unsupported(api.status().message() + "; install it with deploy/install-engines");
  const std::shared_ptr<OnnxRuntime> runtime(new OnnxRuntime(std::move(*api)));
  AVOCET_RETURN_IF_ERROR(runtime->SetUp());
  return std::shared_ptr<const OnnxRuntime>(runtime);
}

Status OnnxRuntime::Append(OrtSessionOptions* options, OnnxProvider provider) const {
  const Status status =
      provider == OnnxProvider::kTensorRt ? AppendTensorRt(*api_, options) : AppendCuda(*api_, options);
  if (status.ok()) return {};
  return Unsupported(std::string(ToString(provider)) + ": " + status.message());
}

std::vector<OnnxProviderState> ProbeProviders(const OnnxRuntime& runtime) {
  const OnnxApi& api = runtime.api();
  std::vector<OnnxProviderState> states;
  for (const OnnxProvider provider : {OnnxProvider::kTensorRt, OnnxProvider::kCuda}) {
    OrtSessionOptions* scratch = nullptr;
    Status status = api.Take(api.CreateSessionOptions(&scratch), StatusCode::kInternal);
    if (status.ok()) status = runtime.Append(scratch, provider);
    api.ReleaseSessionOptions(scratch);
    states.push_back({provider, std::move(status)});
  }
  return states;
}

} // namespace avocet

#include "node_agent/engines/onnx_engine.h"

#include <algorithm>
#include <stop_token>
#include <string>
#include <utility>

#include "node_agent/engines/onnx_runtime.h"
#include "node_agent/engines/onnx_tensor.h"
#include "node_agent/engines/process_usage.h"
#include "node_agent/engines/service_meter.h"
#include "node_agent/formats/mapped_file.h"
#include "node_agent/formats/onnx_file.h"

namespace avocet {
namespace {

// Enumerations of onnxruntime_c_api.h.
constexpr int kSequential = 0;
constexpr int kOptimizeAll = 99;

/// Where the library looks for data outside of a model; no folder can be there.
constexpr const char* kFolderOfExternalData = "session.model_external_initializers_file_folder_path";
constexpr const char* kNowhere = "/dev/null/nowhere";

template <class T> using Handle = std::unique_ptr<T, void (*)(T*)>;

/// What the models of one device have in common.
struct OnnxDevice {
  OnnxDevice(std::shared_ptr<const OnnxRuntime> its_runtime, DeviceKind kind, Discipline discipline)
      : runtime(std::move(its_runtime)), meter(kind, discipline) {}
  std::shared_ptr<const OnnxRuntime> runtime;
  std::vector<OnnxProvider> providers; ///< that work here, in order of preference; none for a CPU
  ServiceMeter meter;
};

class OnnxModel final : public LoadedModel {
public:
  explicit OnnxModel(std::shared_ptr<OnnxDevice> device)
      : device_(std::move(device)), session_(nullptr, api().ReleaseSession.function) {}
  OnnxModel(const OnnxModel&) = delete;
  OnnxModel& operator=(const OnnxModel&) = delete;

  ~OnnxModel() override {
    session_.reset();
    ReturnFreedMemory();
  }

  /// Everything up to and including one run, after which the memory has its full size.
  Status Open(const LoadRequest& request) {
    const auto open = [&]() -> Status {
      AVOCET_RETURN_IF_ERROR(CreateSession(request));
      AVOCET_RETURN_IF_ERROR(ReadSignature());
      first_run_ = MakeFirstRun(signature_, request.inputs, [this](const auto& inputs) {
        RunRequest run;
        run.inputs = inputs->views();
        return Infer(run).status();
      });
      return {};
    };
    return MeasureMemory(request.file, open, memory_bytes_);
  }

  const ModelSignature& signature() const override { return signature_; }
  uint64_t memory_bytes() const override { return memory_bytes_; }
  bool is_warm() const override { return true; } // see Open
  FirstRun first_run() const override { return first_run_; }

  Result<RunResult> Run(const RunRequest& request) override {
    AVOCET_RETURN_IF_ERROR(CheckInputs(signature_, request.inputs));
    const ServiceMeter::Run metered(device_->meter);
    AVOCET_ASSIGN_OR_RETURN(auto outputs, Infer(request));
    return RunResult{std::move(outputs), metered.Attained()};
  }

private:
  const OnnxRuntime& runtime() const { return *device_->runtime; }
  const OnnxApi& api() const { return device_->runtime->api(); }

  Status CreateSession(const LoadRequest& request) {
    AVOCET_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(request.file));
    // Again, though imports are checked: whatever a model names, this process must not open.
    AVOCET_RETURN_IF_ERROR(InspectOnnx(file.bytes()).status());
    OrtSessionOptions* created = nullptr;
    AVOCET_RETURN_IF_ERROR(api().Take(api().CreateSessionOptions(&created), StatusCode::kInternal));
    const Handle<OrtSessionOptions> options(created, api().ReleaseSessionOptions.function);
    AVOCET_RETURN_IF_ERROR(Configure(created));
    OrtSession* session = nullptr;
    // From memory: with a path, the library would look for what a model names beside it, among all models.
    const Status status = api().Take(
        api().CreateSessionFromArray(runtime().env(), file.bytes().data(), file.bytes().size(), created, &session),
        StatusCode::kInvalidArgument);
    session_.reset(session);
    return status.WithContext("ONNX Runtime refuses the model");
  }

  /// One thread, the caller's, which is pinned to the device's cores; helpers would run elsewhere.
  Status Configure(OrtSessionOptions* options) const {
    const auto internal = [this](OrtStatus* status) { return api().Take(status, StatusCode::kInternal); };
    AVOCET_RETURN_IF_ERROR(internal(api().SetIntraOpNumThreads(options, 1)));
    AVOCET_RETURN_IF_ERROR(internal(api().SetInterOpNumThreads(options, 1)));
    AVOCET_RETURN_IF_ERROR(internal(api().SetSessionExecutionMode(options, kSequential)));
    AVOCET_RETURN_IF_ERROR(internal(api().SetSessionGraphOptimizationLevel(options, kOptimizeAll)));
    AVOCET_RETURN_IF_ERROR(internal(api().AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0")));
    AVOCET_RETURN_IF_ERROR(internal(api().AddSessionConfigEntry(options, kFolderOfExternalData, kNowhere)));
    AVOCET_RETURN_IF_ERROR(runtime().memory().Use(options));
    for (const OnnxProvider provider : device_->providers)
      AVOCET_RETURN_IF_ERROR(runtime().Append(options, provider));
    return {};
  }

  Status ReadSignature() {
    size_t inputs = 0;
    size_t outputs = 0;
    AVOCET_RETURN_IF_ERROR(api().Take(api().SessionGetInputCount(session_.get(), &inputs), StatusCode::kInternal));
    AVOCET_RETURN_IF_ERROR(api().Take(api().SessionGetOutputCount(session_.get(), &outputs), StatusCode::kInternal));
    for (size_t i = 0; i < inputs; ++i)
      AVOCET_RETURN_IF_ERROR(Add(signature_.inputs, i, api().SessionGetInputName, api().SessionGetInputTypeInfo));
    for (size_t i = 0; i < outputs; ++i)
      AVOCET_RETURN_IF_ERROR(Add(signature_.outputs, i, api().SessionGetOutputName, api().SessionGetOutputTypeInfo));
    return {};
  }

  template <class GetName, class GetType>
  Status Add(std::vector<TensorSpec>& specs, size_t index, const GetName& get_name, const GetType& get_type) {
    char* text = nullptr;
    AVOCET_RETURN_IF_ERROR(
        api().Take(get_name(session_.get(), index, runtime().allocator(), &text), StatusCode::kInternal));
    // Copied and freed at once: the text belongs to the runtime's allocator.
    std::string name(text);
    AVOCET_RETURN_IF_ERROR(api().Take(api().AllocatorFree(runtime().allocator(), text), StatusCode::kInternal));

    OrtTypeInfo* created = nullptr;
    AVOCET_RETURN_IF_ERROR(api().Take(get_type(session_.get(), index, &created), StatusCode::kInternal));
    const Handle<OrtTypeInfo> type(created, api().ReleaseTypeInfo.function);

    const OrtTensorTypeAndShapeInfo* tensor = nullptr; // belongs to `type`
    AVOCET_RETURN_IF_ERROR(api().Take(api().CastTypeInfoToTensorInfo(created, &tensor), StatusCode::kInternal));
    if (tensor == nullptr) return Unsupported("'" + name + "' is no tensor; sequences and maps are not served");
    AVOCET_ASSIGN_OR_RETURN(auto spec, SpecOf(runtime(), tensor, std::move(name)));
    specs.push_back(std::move(spec));
    return {};
  }

  Result<std::vector<Tensor>> Infer(const RunRequest& request) {
    // Values lie over the request's bytes; `copies` holds those that had to be converted, as long as the values live.
    std::vector<std::vector<std::byte>> copies;
    std::vector<OnnxValue> inputs;
    for (const TensorView& view : request.inputs) {
      AVOCET_ASSIGN_OR_RETURN(auto value, ToOnnx(runtime(), view, copies));
      inputs.push_back(std::move(value));
    }

    std::vector<OrtValue*> outputs(signature_.outputs.size(), nullptr);
    const Status status = Call(request, inputs, outputs);
    // Owned before the status is looked at: a run that failed half-way has outputs, which would leak.
    std::vector<OnnxValue> owned;
    owned.reserve(outputs.size());
    for (OrtValue* output : outputs)
      owned.push_back(Own(runtime(), output));

    AVOCET_RETURN_IF_ERROR(status);
    return Copy(owned, request.max_output_bytes);
  }

  Status Call(const RunRequest& request, const std::vector<OnnxValue>& inputs, std::vector<OrtValue*>& outputs) {
    // Names and values go side by side: ONNX Runtime matches them by position.
    std::vector<const char*> input_names, output_names;
    std::vector<const OrtValue*> values;
    values.reserve(inputs.size());
    for (const TensorView& view : request.inputs)
      input_names.push_back(view.spec.name.c_str());
    for (const OnnxValue& input : inputs)
      values.push_back(input.get());
    for (const TensorSpec& spec : signature_.outputs)
      output_names.push_back(spec.name.c_str());

    OrtRunOptions* created = nullptr;
    AVOCET_RETURN_IF_ERROR(api().Take(api().CreateRunOptions(&created), StatusCode::kInternal));
    const Handle<OrtRunOptions> options(created, api().ReleaseRunOptions.function);
    // Declared after `options`: the destructor of on_stop waits for a callback that still uses them.
    const std::stop_callback on_stop(request.stop, [this, created] {
      (void)api().Take(api().RunOptionsSetTerminate(created), StatusCode::kInternal); // sets a flag
    });

    const OnnxRunLimit limit(request.max_memory_bytes);
    const Status status = api().Take(api().Run(session_.get(), created, input_names.data(), values.data(),
                                               values.size(), output_names.data(), output_names.size(), outputs.data()),
                                     StatusCode::kInternal);
    // The runtime reports a stop as a failure like any other, so the token tells the two apart.
    if (!status.ok() && request.stop.stop_requested()) return Cancelled("the run was stopped");
    if (limit.was_passed())
      return ResourceExhausted("the run takes more than the " + std::to_string(request.max_memory_bytes / kMiB) +
                               " MiB of memory that the device has (memory_mb)");
    return status.WithContext("ONNX Runtime");
  }

  Result<std::vector<Tensor>> Copy(const std::vector<OnnxValue>& values, uint64_t most) const {
    std::vector<Tensor> outputs;
    outputs.reserve(values.size());
    uint64_t left = most;
    for (size_t i = 0; i < values.size(); ++i) {
      AVOCET_ASSIGN_OR_RETURN(auto tensor, FromOnnx(runtime(), values[i].get(), signature_.outputs[i].name, left));
      left -= std::min<uint64_t>(left, tensor.data.size());
      outputs.push_back(std::move(tensor));
    }
    return outputs;
  }

  std::shared_ptr<OnnxDevice> device_;
  Handle<OrtSession> session_;
  ModelSignature signature_;
  FirstRun first_run_;
  uint64_t memory_bytes_ = 0;
};

class OnnxEngine final : public Engine {
public:
  explicit OnnxEngine(std::shared_ptr<OnnxDevice> device) : device_(std::move(device)) {}
  EngineKind kind() const override { return EngineKind::kOnnx; }
  bool can_cancel() const override { return true; }

  Result<std::unique_ptr<LoadedModel>> Load(const LoadRequest& request) override {
    auto model = std::make_unique<OnnxModel>(device_);
    if (const Status status = model->Open(request); !status.ok())
      return status.WithContext("model '" + request.model.str() + "' (" + request.file.string() + ")");
    return std::unique_ptr<LoadedModel>(std::move(model));
  }

private:
  std::shared_ptr<OnnxDevice> device_; // models keep it alive
};

/// The providers that work here; kUnsupported with all reasons when none does.
Result<std::vector<OnnxProvider>> GpuProviders(const OnnxRuntime& runtime) {
  std::vector<OnnxProvider> providers;
  std::string reasons;
  for (const auto& [provider, status] : ProbeProviders(runtime)) {
    if (status.ok()) providers.push_back(provider);
    if (!status.ok()) reasons += "; " + status.message();
  }
  if (!providers.empty()) return providers;
  return Unsupported("no GPU provider of ONNX Runtime " + runtime.api().version + " works here" + reasons +
                     "; put a build with CUDA or TensorRT, and its provider libraries, where that library is");
}

} // namespace

Result<std::unique_ptr<Engine>> MakeOnnxEngine(const std::filesystem::path& prefix, DeviceKind kind,
                                               Discipline discipline) {
  if (kind == DeviceKind::kEdgeTpu) return Unsupported("engine onnx: it has no provider for edgetpu devices");
  auto runtime = OnnxRuntime::Open(prefix);
  if (!runtime.ok()) return runtime.status().WithContext("engine onnx");
  const auto device = std::make_shared<OnnxDevice>(std::move(*runtime), kind, discipline);
  if (kind == DeviceKind::kGpu) {
    auto providers = GpuProviders(*device->runtime);
    if (!providers.ok()) return providers.status().WithContext("engine onnx");
    device->providers = std::move(*providers);
  }
  return std::unique_ptr<Engine>(std::make_unique<OnnxEngine>(device));
}

} // namespace avocet

#include "node_agent/engines/tflite_engine.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "node_agent/engines/edgetpu_plugin.h"
#include "node_agent/engines/process_usage.h"
#include "node_agent/engines/service_meter.h"
#include "node_agent/engines/tflite_api.h"

namespace avocet {
namespace {

constexpr int kTfliteOk = 0;
constexpr size_t kMaxErrorText = 1024;
constexpr size_t kPieceBytes = 1 << 20;

/// What the library said since the last Take(). One model's reporter is called by one thread at a time.
class ErrorText {
public:
  static void Report(void* self, const char* format, va_list args) {
    std::array<char, kMaxErrorText> line{};
    (void)std::vsnprintf(line.data(), line.size(), format, args);
    static_cast<ErrorText*>(self)->Append(line.data());
  }
  std::string Take() { return text_.empty() ? "no reason given" : std::exchange(text_, {}); }

private:
  void Append(const char* line) {
    if (text_.size() >= kMaxErrorText) return;
    text_ += text_.empty() ? line : std::string("; ") + line;
    while (!text_.empty() && text_.back() == '\n')
      text_.pop_back();
  }
  std::string text_;
};

std::optional<DataType> DataTypeOf(int tflite_type) {
  // TfLiteType of tensorflow/lite/c/c_api_types.h; not served: strings, complex numbers, resources.
  static constexpr std::array kTypes{
      std::pair{1, DataType::kFp32},    std::pair{2, DataType::kInt32},  std::pair{3, DataType::kUint8},
      std::pair{4, DataType::kInt64},   std::pair{6, DataType::kBool},   std::pair{7, DataType::kInt16},
      std::pair{9, DataType::kInt8},    std::pair{10, DataType::kFp16},  std::pair{11, DataType::kFp64},
      std::pair{13, DataType::kUint64}, std::pair{16, DataType::kUint32}};
  for (const auto& [number, type] : kTypes)
    if (number == tflite_type) return type;
  return std::nullopt;
}

/// The XNNPACK delegate implements this op of the MediaPipe models, but the interpreter must know its
/// name to accept the file. Where the delegate does not take such a node, running it fails, and since
/// loading includes one run, so does the load.
constexpr const char* kTransposeConvBias = "Convolution2DTransposeBias";
constexpr TfLiteRegistration kDelegateOnly{};

template <class T> using Handle = std::unique_ptr<T, void (*)(T*)>;

/// What the models of one device have in common.
struct TfliteDevice {
  TfliteDevice(std::shared_ptr<const TfliteApi> its_api, DeviceKind kind, Discipline discipline)
      : api(std::move(its_api)), meter(kind, discipline) {}
  std::shared_ptr<const TfliteApi> api;
  std::shared_ptr<const EdgeTpuPlugin> edgetpu; ///< null: a CPU
  ServiceMeter meter;
};

/// A model that was not compiled for the accelerator would silently run on whatever core is free.
Status CheckCompiledForEdgeTpu(const std::filesystem::path& file) {
  constexpr std::string_view kOp = EdgeTpuPlugin::kOp;
  std::ifstream in(file, std::ios::binary);
  std::string piece(kPieceBytes, '\0');
  size_t kept = 0; // the end of the piece before, where the name may have begun
  while (in) {
    in.read(piece.data() + kept, static_cast<std::streamsize>(piece.size() - kept));
    const std::string_view text(piece.data(), kept + static_cast<size_t>(in.gcount()));
    if (text.find(kOp) != std::string_view::npos) return {};
    kept = std::min(text.size(), kOp.size() - 1);
    text.substr(text.size() - kept).copy(piece.data(), kept);
  }
  return InvalidArgument("the model has no op for the accelerator; compile it with edgetpu_compiler");
}

class TfliteModel final : public LoadedModel {
public:
  explicit TfliteModel(std::shared_ptr<TfliteDevice> device)
      : device_(std::move(device)), api_(device_->api), model_(nullptr, api_->ModelDelete),
        delegate_(nullptr, api_->XnnpackDelete), options_(nullptr, api_->OptionsDelete),
        interpreter_(nullptr, api_->InterpreterDelete) {}
  TfliteModel(const TfliteModel&) = delete;
  TfliteModel& operator=(const TfliteModel&) = delete;

  ~TfliteModel() override {
    interpreter_.reset();
    options_.reset();
    delegate_.reset();
    model_.reset();
    ReturnFreedMemory();
  }

  /// Everything up to and including one run on zeros, after which the memory has its full size.
  Status Open(const LoadRequest& request) {
    const auto open = [&]() -> Status {
      AVOCET_RETURN_IF_ERROR(CreateInterpreter(request));
      AVOCET_RETURN_IF_ERROR(ReadSignature());
      return WarmUp();
    };
    return MeasureMemory(request.file, open, memory_bytes_);
  }

  const ModelSignature& signature() const override { return signature_; }
  uint64_t memory_bytes() const override { return memory_bytes_; }
  bool is_warm() const override { return true; } // see Open

  Result<RunResult> Run(const RunRequest& request) override {
    AVOCET_RETURN_IF_ERROR(CheckInputs(signature_, request.inputs));
    const ServiceMeter::Run metered(device_->meter);
    for (const TensorView& input : request.inputs)
      CopyIn(input);
    if (api_->Invoke(interpreter_.get()) != kTfliteOk) return Internal("TensorFlow Lite: " + errors_.Take());
    AVOCET_ASSIGN_OR_RETURN(auto outputs, CopyOut());
    return RunResult{std::move(outputs), metered.Attained()};
  }

private:
  Status CreateInterpreter(const LoadRequest& request) {
    std::error_code ignored;
    // TensorFlow Lite has one error for a file that is missing and one that is broken.
    if (!std::filesystem::exists(request.file, ignored)) return NotFound("no such file");
    // A model that is not compiled for the device would run on the CPU without a word.
    if (device_->edgetpu) AVOCET_RETURN_IF_ERROR(CheckCompiledForEdgeTpu(request.file));

    model_.reset(api_->ModelCreateFromFile(request.file.c_str()));
    if (!model_) return InvalidArgument("not a TensorFlow Lite model");

    options_.reset(api_->OptionsCreate());
    api_->OptionsSetErrorReporter(options_.get(), &ErrorText::Report, &errors_);
    // One thread: a device's worker is pinned, and a pool would compete with other devices' workers.
    api_->OptionsSetNumThreads(options_.get(), 1);
    // A stand-in, so that models whose operators only the delegate knows pass the interpreter's check.
    api_->OptionsAddCustomOp(options_.get(), kTransposeConvBias, &kDelegateOnly, 1, 1);

    AVOCET_RETURN_IF_ERROR(AddDelegate());
    // After the delegate is in the options: it rewrites the graph while the interpreter is made.
    interpreter_.reset(api_->InterpreterCreate(model_.get(), options_.get()));
    if (!interpreter_ || api_->AllocateTensors(interpreter_.get()) != kTfliteOk)
      return InvalidArgument("TensorFlow Lite refuses the model: " + errors_.Take());
    return {};
  }

  Status AddDelegate() {
    if (device_->edgetpu) {
      AVOCET_ASSIGN_OR_RETURN(delegate_, device_->edgetpu->Create());
    } else {
      TfLiteXNNPackDelegateOptions xnnpack = api_->XnnpackOptionsDefault();
      xnnpack.num_threads = 0; // no pool: kernels run on the calling thread
      delegate_.reset(api_->XnnpackCreate(&xnnpack));
      if (!delegate_) return Internal("XNNPACK cannot start on this processor");
    }
    api_->OptionsAddDelegate(options_.get(), delegate_.get());
    return {};
  }

  Status ReadSignature() {
    for (int32_t i = 0; i < api_->InputCount(interpreter_.get()); ++i)
      AVOCET_RETURN_IF_ERROR(Add(api_->Input(interpreter_.get(), i), "input", signature_.inputs));
    for (int32_t i = 0; i < api_->OutputCount(interpreter_.get()); ++i)
      AVOCET_RETURN_IF_ERROR(Add(api_->Output(interpreter_.get(), i), "output", signature_.outputs));
    return {};
  }

  /// Clients address tensors by name, so an absent or repeated name gets one: "input0".
  Status Add(const TfLiteTensor* tensor, const std::string& role, std::vector<TensorSpec>& specs) {
    AVOCET_ASSIGN_OR_RETURN(auto spec, SpecOf(tensor));
    const bool taken =
        std::any_of(specs.begin(), specs.end(), [&](const TensorSpec& other) { return other.name == spec.name; });
    if (spec.name.empty() || taken) spec.name = role + std::to_string(specs.size());
    specs.push_back(std::move(spec));
    return {};
  }

  Result<TensorSpec> SpecOf(const TfLiteTensor* tensor) const {
    const char* name = api_->TensorName(tensor);
    TensorSpec spec{name ? name : "", DataType::kFp32, {}};
    const auto type = DataTypeOf(api_->TensorType(tensor));
    if (!type) return Unsupported("tensor '" + spec.name + "' has an element type that is not served");
    spec.type = *type;
    for (int32_t i = 0; i < api_->TensorNumDims(tensor); ++i)
      spec.shape.push_back(api_->TensorDim(tensor, i));
    AVOCET_ASSIGN_OR_RETURN(const auto bytes, ByteSize(spec));
    if (bytes != api_->TensorByteSize(tensor)) return Internal("tensor '" + spec.name + "' has an unexpected size");
    return spec;
  }

  Status WarmUp() {
    for (int32_t i = 0; i < api_->InputCount(interpreter_.get()); ++i) {
      TfLiteTensor* tensor = api_->Input(interpreter_.get(), i);
      if (void* data = api_->TensorData(tensor)) std::memset(data, 0, api_->TensorByteSize(tensor));
    }
    if (api_->Invoke(interpreter_.get()) == kTfliteOk) return {};
    return InvalidArgument("the model loads but does not run: " + errors_.Take());
  }

  void CopyIn(const TensorView& input) {
    const auto spec = std::find_if(signature_.inputs.begin(), signature_.inputs.end(),
                                   [&](const TensorSpec& s) { return s.name == input.spec.name; });
    TfLiteTensor* tensor = api_->Input(interpreter_.get(), static_cast<int32_t>(spec - signature_.inputs.begin()));
    if (!input.data.empty()) std::memcpy(api_->TensorData(tensor), input.data.data(), input.data.size());
  }

  Result<std::vector<Tensor>> CopyOut() const {
    std::vector<Tensor> outputs;
    outputs.reserve(signature_.outputs.size());
    for (size_t i = 0; i < signature_.outputs.size(); ++i) {
      const TfLiteTensor* tensor = api_->Output(interpreter_.get(), static_cast<int32_t>(i));
      auto spec = SpecOf(tensor); // shapes of outputs may depend on the input
      if (!spec.ok()) return spec.status();
      spec->name = signature_.outputs[i].name;
      const auto* data = static_cast<const std::byte*>(api_->TensorData(tensor));
      outputs.push_back({std::move(*spec), std::vector<std::byte>(data, data + api_->TensorByteSize(tensor))});
    }
    return outputs;
  }

  std::shared_ptr<TfliteDevice> device_;
  std::shared_ptr<const TfliteApi> api_;
  ErrorText errors_; // outlives the interpreter that reports to it
  Handle<TfLiteModel> model_;
  Handle<TfLiteDelegate> delegate_;
  Handle<TfLiteInterpreterOptions> options_;
  Handle<TfLiteInterpreter> interpreter_;
  ModelSignature signature_;
  uint64_t memory_bytes_ = 0;
};

class TfliteEngine final : public Engine {
public:
  explicit TfliteEngine(std::shared_ptr<TfliteDevice> device) : device_(std::move(device)) {}
  EngineKind kind() const override { return EngineKind::kTflite; }
  bool can_cancel() const override { return false; }

  Result<std::unique_ptr<LoadedModel>> Load(const LoadRequest& request) override {
    auto model = std::make_unique<TfliteModel>(device_);
    if (const Status status = model->Open(request); !status.ok())
      return status.WithContext("model '" + request.model.str() + "' (" + request.file.string() + ")");
    return std::unique_ptr<LoadedModel>(std::move(model));
  }

private:
  std::shared_ptr<TfliteDevice> device_; // models keep it alive
};

Result<std::shared_ptr<TfliteDevice>> OpenDevice(const std::filesystem::path& prefix, DeviceKind kind,
                                                 Discipline discipline) {
  auto api = TfliteApi::Load(prefix / "lib" / "libtensorflowlite_c.so");
  if (!api.ok())
    return Unsupported("engine tflite: " + api.status().message() + "; install it with deploy/install-engines");
  return std::make_shared<TfliteDevice>(std::move(*api), kind, discipline);
}

} // namespace

Result<std::unique_ptr<Engine>> MakeTfliteEngine(const std::filesystem::path& prefix, Discipline discipline) {
  AVOCET_ASSIGN_OR_RETURN(auto device, OpenDevice(prefix, DeviceKind::kCpu, discipline));
  return std::unique_ptr<Engine>(std::make_unique<TfliteEngine>(std::move(device)));
}

Result<std::unique_ptr<Engine>> MakeEdgeTpuEngine(const std::filesystem::path& prefix,
                                                  const std::filesystem::path& edgetpu_library) {
  AVOCET_ASSIGN_OR_RETURN(auto device, OpenDevice(prefix, DeviceKind::kEdgeTpu, Discipline::kFifo));
  auto plugin = EdgeTpuPlugin::Load(edgetpu_library);
  if (!plugin.ok())
    return Unsupported("engine tflite for edgetpu devices: " + plugin.status().message() + "; install " +
                       kEdgeTpuPackage + " from Coral's package archive, see docs/ENGINES.md");
  device->edgetpu = std::move(*plugin);
  return std::unique_ptr<Engine>(std::make_unique<TfliteEngine>(std::move(device)));
}

} // namespace avocet

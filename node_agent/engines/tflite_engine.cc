#include "node_agent/engines/tflite_engine.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "node_agent/engines/edgetpu_plugin.h"
#include "node_agent/engines/model_file.h"
#include "node_agent/engines/process_usage.h"
#include "node_agent/engines/service_meter.h"
#include "node_agent/engines/tflite_api.h"
#include "node_agent/engines/tflite_interpreter.h"

namespace avocet {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

using Kernels = TfliteInterpreter::Kernels;
using Shapes = TfliteInterpreter::Shapes;

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

Shapes ShapesOf(std::span<const TensorView> inputs) {
  Shapes shapes;
  for (const TensorView& input : inputs)
    shapes.push_back(input.spec.shape);
  return shapes;
}

bool HasOpenExtents(const ModelSignature& signature) {
  return std::any_of(signature.inputs.begin(), signature.inputs.end(), [](const TensorSpec& input) {
    return std::any_of(input.shape.begin(), input.shape.end(), [](int64_t extent) { return extent < 0; });
  });
}

class TfliteModel final : public LoadedModel {
public:
  explicit TfliteModel(std::shared_ptr<TfliteDevice> device)
      : device_(std::move(device)), model_(nullptr, device_->api->ModelDelete),
        kernels_(device_->edgetpu ? Kernels::kEdgeTpu : Kernels::kXnnpack) {}
  TfliteModel(const TfliteModel&) = delete;
  TfliteModel& operator=(const TfliteModel&) = delete;

  ~TfliteModel() override {
    interpreter_.reset();
    model_.reset();
    ReturnFreedMemory();
  }

  /// Everything up to and including one run, after which the memory has its full size.
  Status Open(const LoadRequest& request) {
    const auto open = [&]() -> Status {
      AVOCET_RETURN_IF_ERROR(ReadFile(request.file));
      return RunFirst(request);
    };
    return MeasureMemory(request.file, open, memory_bytes_);
  }

  const ModelSignature& signature() const override { return signature_; }
  uint64_t memory_bytes() const override { return memory_bytes_; }
  bool is_warm() const override { return true; } // see Open
  FirstRun first_run() const override { return first_run_; }
  std::string note() const override { return note_; }

  Result<RunResult> Run(const RunRequest& request) override {
    AVOCET_RETURN_IF_ERROR(CheckInputs(signature_, request.inputs));
    const ServiceMeter::Run metered(device_->meter);
    AVOCET_RETURN_IF_ERROR(Invoke(InOrder(request.inputs)));
    AVOCET_ASSIGN_OR_RETURN(auto outputs, CopyOut());
    return RunResult{std::move(outputs), metered.Attained()};
  }

private:
  Status ReadFile(const std::filesystem::path& file) {
    std::error_code ignored;
    // TensorFlow Lite has one error for a file that is missing and one that is broken.
    if (!std::filesystem::exists(file, ignored)) return NotFound("no such file");
    // It trusts what it reads: a damaged file would end the process.
    AVOCET_ASSIGN_OR_RETURN(signature_, InspectModelFile({ModelFormat::kTflite, file}));
    // A model that is not compiled for the device would run on the CPU without a word.
    if (device_->edgetpu) AVOCET_RETURN_IF_ERROR(CheckCompiledForEdgeTpu(file));
    model_.reset(device_->api->ModelCreateFromFile(file.c_str()));
    return model_ ? Status() : InvalidArgument("not a TensorFlow Lite model");
  }

  Status RunFirst(const LoadRequest& request) {
    const auto run = [this](const auto& inputs) { return Invoke(inputs->views()); };
    first_run_ = MakeFirstRun(signature_, request.inputs, run);
    bool was_prepared = interpreter_ != nullptr;
    if (!first_run_.status.ok() && kernels_ == Kernels::kXnnpack) was_prepared |= TryWithoutXnnpack(request, run);
    // With open extents another shape may do; otherwise a model that cannot even be prepared never runs.
    return was_prepared || HasOpenExtents(signature_) ? Status() : first_run_.status;
  }

  /// Some graphs run only on the library's own kernels: XNNPACK takes parts that it cannot run. Whether the model can
  /// be prepared so.
  bool TryWithoutXnnpack(const LoadRequest& request, const RunOnInputs& run) {
    const bool xnnpack_prepares = interpreter_ != nullptr;
    const std::string why = first_run_.status.message();
    interpreter_.reset();
    kernels_ = Kernels::kPlain;
    FirstRun plain = MakeFirstRun(signature_, request.inputs, run);
    const bool prepares = interpreter_ != nullptr;

    if (plain.status.ok() || (prepares && !xnnpack_prepares)) {
      first_run_ = std::move(plain);
      note_ = "runs without XNNPACK, slower: " + why;
      return true;
    }
    // The plain kernels name what is missing, where XNNPACK only refuses.
    if (!xnnpack_prepares) first_run_.status = plain.status;
    interpreter_.reset();
    kernels_ = Kernels::kXnnpack;
    return prepares;
  }

  /// For these shapes. Another shape than the last one's takes a new interpreter, and its time.
  Status Prepare(std::span<const TensorView> inputs) {
    Shapes shapes = ShapesOf(inputs);
    if (interpreter_ && interpreter_->shapes() == shapes) return {};
    interpreter_.reset(); // first: two would need twice the memory
    AVOCET_ASSIGN_OR_RETURN(interpreter_,
                            TfliteInterpreter::Make({device_->api, device_->edgetpu, model_.get(), kernels_}, shapes));
    return {};
  }

  Status Invoke(std::span<const TensorView> inputs) {
    AVOCET_RETURN_IF_ERROR(Prepare(inputs));
    for (size_t i = 0; i < inputs.size(); ++i)
      AVOCET_RETURN_IF_ERROR(interpreter_->SetInput(i, inputs[i].data));
    return interpreter_->Run();
  }

  /// Requests name their inputs in any order. Requires that they passed CheckInputs.
  std::vector<TensorView> InOrder(std::span<const TensorView> inputs) const {
    std::vector<TensorView> ordered;
    ordered.reserve(inputs.size());
    for (const TensorSpec& wanted : signature_.inputs)
      ordered.push_back(*std::find_if(inputs.begin(), inputs.end(),
                                      [&](const TensorView& input) { return input.spec.name == wanted.name; }));
    return ordered;
  }

  Result<std::vector<Tensor>> CopyOut() const {
    std::vector<Tensor> outputs;
    outputs.reserve(signature_.outputs.size());
    for (size_t i = 0; i < signature_.outputs.size(); ++i) {
      AVOCET_ASSIGN_OR_RETURN(auto output, interpreter_->Output(i, signature_.outputs[i].name));
      outputs.push_back(std::move(output));
    }
    return outputs;
  }

  std::shared_ptr<TfliteDevice> device_;
  std::unique_ptr<TfLiteModel, void (*)(TfLiteModel*)> model_;
  Kernels kernels_;
  std::unique_ptr<TfliteInterpreter> interpreter_; ///< null where the last shapes were refused
  ModelSignature signature_;
  FirstRun first_run_;
  std::string note_;
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

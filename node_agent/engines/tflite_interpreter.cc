#include "node_agent/engines/tflite_interpreter.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

#include "node_agent/formats/tflite_file.h"

namespace avocet {
namespace {

constexpr int kTfliteOk = 0;
constexpr size_t kMaxErrorText = 1024;

/// The XNNPACK delegate implements this op of the MediaPipe models, but the interpreter must know its
/// name to accept the file. Where the delegate does not take such a node, running it fails.
constexpr const char* kTransposeConvBias = "Convolution2DTransposeBias";
constexpr TfLiteRegistration kDelegateOnly{};

} // namespace

void TfliteErrors::Report(void* self, const char* format, va_list args) {
  std::array<char, kMaxErrorText> line{};
  (void)std::vsnprintf(line.data(), line.size(), format, args);
  static_cast<TfliteErrors*>(self)->Append(line.data());
}

std::string TfliteErrors::Take() {
  return text_.empty() ? "no reason given" : std::exchange(text_, {});
}

void TfliteErrors::Append(const char* line) {
  if (text_.size() >= kMaxErrorText) return;
  text_ += text_.empty() ? line : std::string("; ") + line;
  while (!text_.empty() && text_.back() == '\n')
    text_.pop_back();
}

TfliteInterpreter::TfliteInterpreter(const Setup& setup, const Shapes& shapes)
    : api_(setup.api), shapes_(shapes), delegate_(nullptr, api_->XnnpackDelete), options_(nullptr, api_->OptionsDelete),
      interpreter_(nullptr, api_->InterpreterDelete) {}

TfliteInterpreter::~TfliteInterpreter() {
  interpreter_.reset();
  options_.reset();
  delegate_.reset();
}

Result<std::unique_ptr<TfliteInterpreter>> TfliteInterpreter::Make(const Setup& setup, const Shapes& shapes) {
  std::unique_ptr<TfliteInterpreter> made(new TfliteInterpreter(setup, shapes));
  AVOCET_RETURN_IF_ERROR(made->Open(setup));
  return made;
}

Status TfliteInterpreter::Open(const Setup& setup) {
  options_.reset(api_->OptionsCreate());
  api_->OptionsSetErrorReporter(options_.get(), &TfliteErrors::Report, &errors_);
  // One thread: a device's worker is pinned, and a pool would compete with other devices' workers.
  api_->OptionsSetNumThreads(options_.get(), 1);
  // A stand-in, so that models whose operators only the delegate knows pass the interpreter's check.
  api_->OptionsAddCustomOp(options_.get(), kTransposeConvBias, &kDelegateOnly, 1, 1);

  if (setup.kernels == Kernels::kEdgeTpu) {
    AVOCET_ASSIGN_OR_RETURN(delegate_, setup.edgetpu->Create());
    // In the options: the accelerator's op must be known while the interpreter is made.
    api_->OptionsAddDelegate(options_.get(), delegate_.get());
  }
  interpreter_.reset(api_->InterpreterCreate(setup.model, options_.get()));
  if (!interpreter_) return InvalidArgument("TensorFlow Lite refuses the model: " + errors_.Take());

  AVOCET_RETURN_IF_ERROR(Resize());
  // After the shapes are known: XNNPACK packs for them, and nothing can be resized behind it.
  if (setup.kernels == Kernels::kXnnpack) AVOCET_RETURN_IF_ERROR(AddXnnpack());
  if (api_->AllocateTensors(interpreter_.get()) == kTfliteOk) return {};
  return InvalidArgument("TensorFlow Lite refuses the model: " + errors_.Take());
}

Status TfliteInterpreter::AddXnnpack() {
  TfLiteXNNPackDelegateOptions xnnpack = api_->XnnpackOptionsDefault();
  xnnpack.num_threads = 0; // no pool: kernels run on the calling thread
  delegate_.reset(api_->XnnpackCreate(&xnnpack));
  if (!delegate_) return Internal("XNNPACK cannot start on this processor");
  if (api_->ModifyGraph(interpreter_.get(), delegate_.get()) == kTfliteOk) return {};
  return InvalidArgument("XNNPACK refuses the model: " + errors_.Take());
}

Status TfliteInterpreter::Resize() {
  for (size_t i = 0; i < shapes_.size(); ++i) {
    const auto index = static_cast<int32_t>(i);
    const TfLiteTensor* tensor = api_->Input(interpreter_.get(), index);
    std::vector<int64_t> now;
    for (int32_t d = 0; d < api_->TensorNumDims(tensor); ++d)
      now.push_back(api_->TensorDim(tensor, d));
    if (now == shapes_[i]) continue;

    std::vector<int> extents;
    for (const int64_t extent : shapes_[i]) {
      if (extent > std::numeric_limits<int>::max()) return InvalidArgument("an extent above 2147483647");
      extents.push_back(static_cast<int>(extent));
    }
    if (api_->ResizeInput(interpreter_.get(), index, extents.data(), static_cast<int32_t>(extents.size())) != kTfliteOk)
      return InvalidArgument("TensorFlow Lite does not take the shape: " + errors_.Take());
  }
  return {};
}

Status TfliteInterpreter::SetInput(size_t index, std::span<const std::byte> data) {
  TfLiteTensor* tensor = api_->Input(interpreter_.get(), static_cast<int32_t>(index));
  if (api_->TensorByteSize(tensor) != data.size())
    return InvalidArgument("input " + std::to_string(index) + " takes " + std::to_string(api_->TensorByteSize(tensor)) +
                           " bytes, not " + std::to_string(data.size()));
  if (!data.empty()) std::memcpy(api_->TensorData(tensor), data.data(), data.size());
  return {};
}

Status TfliteInterpreter::Run() {
  if (api_->Invoke(interpreter_.get()) == kTfliteOk) return {};
  return Internal("TensorFlow Lite: " + errors_.Take());
}

Result<Tensor> TfliteInterpreter::Output(size_t index, const std::string& name) const {
  const TfLiteTensor* tensor = api_->Output(interpreter_.get(), static_cast<int32_t>(index));
  const auto type = DataTypeOfTflite(api_->TensorType(tensor));
  if (!type) return Unsupported("tensor '" + name + "' has an element type that is not served");
  TensorSpec spec{name, *type, {}}; // shapes of outputs may depend on the input
  for (int32_t d = 0; d < api_->TensorNumDims(tensor); ++d)
    spec.shape.push_back(api_->TensorDim(tensor, d));

  AVOCET_ASSIGN_OR_RETURN(const auto bytes, ByteSize(spec));
  if (bytes != api_->TensorByteSize(tensor)) return Internal("tensor '" + name + "' has an unexpected size");
  const auto* data = static_cast<const std::byte*>(api_->TensorData(tensor));
  return Tensor{std::move(spec), std::vector<std::byte>(data, data + bytes)};
}

} // namespace avocet

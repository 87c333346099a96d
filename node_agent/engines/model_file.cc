#include "node_agent/engines/model_file.h"

#include <algorithm>
#include <optional>

#include "messages/files.h"
#include "node_agent/engines/emulated_model.h"
#include "node_agent/formats/mapped_file.h"
#include "node_agent/formats/onnx_file.h"
#include "node_agent/formats/tflite_file.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

Result<ModelSignature> SignatureOf(const ModelFile& file) {
  if (file.format == ModelFormat::kEmulated) {
    AVOCET_ASSIGN_OR_RETURN(const auto text, ReadWholeFile(file.path, kMaxEmulatedModelFileBytes));
    auto model = ParseEmulatedModel(text, file.path.filename().string());
    if (!model.ok()) return model.status();
    return std::move(model->signature);
  }
  AVOCET_ASSIGN_OR_RETURN(const auto mapped, MappedFile::Open(file.path));
  return file.format == ModelFormat::kOnnx ? InspectOnnx(mapped.bytes()) : InspectTflite(mapped.bytes());
}

Status CheckCount(size_t count, const std::string& what) {
  if (count <= kMaxTensorsPerRequest) return {};
  return Unsupported("the model has " + std::to_string(count) + " " + what + "; a request carries at most " +
                     std::to_string(kMaxTensorsPerRequest));
}

bool Agree(int64_t one, int64_t other) {
  return one == other || one < 0 || other < 0;
}

bool Agree(const TensorSpec& one, const TensorSpec& other) {
  return one.name == other.name && one.type == other.type &&
         std::equal(one.shape.begin(), one.shape.end(), other.shape.begin(), other.shape.end(),
                    [](int64_t a, int64_t b) { return Agree(a, b); });
}

/// In any order: requests and answers name them.
bool Agree(const std::vector<TensorSpec>& ones, const std::vector<TensorSpec>& others) {
  return ones.size() == others.size() && std::all_of(ones.begin(), ones.end(), [&](const TensorSpec& one) {
           return std::any_of(others.begin(), others.end(), [&](const TensorSpec& other) { return Agree(one, other); });
         });
}

std::string Text(const std::vector<TensorSpec>& specs) {
  constexpr size_t kShown = 8;
  std::string text;
  for (size_t i = 0; i < std::min(specs.size(), kShown); ++i)
    text += (i ? ", " : "") + specs[i].name + " " + Describe(specs[i]);
  return specs.size() > kShown ? text + ", ..." : text;
}

std::string Text(const ModelSignature& signature) {
  return "takes " + Text(signature.inputs) + " and gives " + Text(signature.outputs);
}

Status CheckSamples(const ModelSignature& signature, const std::vector<SampleInput>& samples) {
  for (const SampleInput& sample : samples) {
    const auto is_its = [&](const TensorSpec& input) { return input.name == sample.name; };
    if (std::any_of(signature.inputs.begin(), signature.inputs.end(), is_its)) continue;
    return InvalidArgument("the model has no input '" + sample.name + "'; it has " + Text(signature.inputs));
  }
  return {};
}

} // namespace

Result<ModelSignature> InspectModelFile(const ModelFile& file) {
  auto signature = SignatureOf(file);
  if (!signature.ok()) return signature;
  AVOCET_RETURN_IF_ERROR(CheckCount(signature->inputs.size(), "inputs"));
  AVOCET_RETURN_IF_ERROR(CheckCount(signature->outputs.size(), "outputs"));
  return signature;
}

Status InspectModelFiles(const std::vector<ModelFile>& files, const std::vector<SampleInput>& samples) {
  std::optional<ModelSignature> first;
  for (const ModelFile& file : files) {
    auto signature = InspectModelFile(file);
    if (!signature.ok()) return signature.status().WithContext(file.path.filename().string());
    if (!first)
      first = std::move(*signature);
    else if (!Agree(first->inputs, signature->inputs) || !Agree(first->outputs, signature->outputs))
      return InvalidArgument("two different networks: " + files.front().path.filename().string() + " " + Text(*first) +
                             ", " + file.path.filename().string() + " " + Text(*signature) +
                             "; import each under a name of its own");
  }
  return first ? CheckSamples(*first, samples) : Status();
}

} // namespace avocet

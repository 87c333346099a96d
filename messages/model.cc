#include "messages/model.h"

#include <algorithm>
#include <set>

#include "messages/check.h"
#include "messages/enum_names.h"

namespace avocet {
namespace {

Status CheckVariant(const Variant& variant) {
  return Check("variant", ToString(variant.format))
      .Digest("file", variant.file)
      .That(variant.size_bytes >= 1 && variant.size_bytes <= kMaxModelFileBytes, "size_bytes", variant.size_bytes,
            "1 to 2147483648 (2 GiB)")
      .status();
}

bool HasFormatTwice(const std::vector<Variant>& variants) {
  const auto is_repeated = [&](const Variant& one) {
    return std::count_if(variants.begin(), variants.end(), [&](const Variant& v) { return v.format == one.format; }) >
           1;
  };
  return std::any_of(variants.begin(), variants.end(), is_repeated);
}

bool HasSampleTwice(const std::vector<SampleInput>& samples) {
  std::set<std::string_view> names;
  return std::any_of(samples.begin(), samples.end(), [&](const auto& s) { return !names.insert(s.name).second; });
}

bool HasOnlyExtents(const std::vector<int64_t>& shape) {
  return std::all_of(shape.begin(), shape.end(),
                     [](int64_t extent) { return extent >= 0 && extent <= static_cast<int64_t>(kMaxSampleBytes); });
}

Status CheckSampleFile(const SampleInput& sample) {
  return Check("sample input", sample.name)
      .Digest("file", sample.file)
      .That(sample.size_bytes >= 1 && sample.size_bytes <= kMaxSampleBytes, "size_bytes", sample.size_bytes,
            "1 to 268435456 (256 MiB)")
      .status();
}

} // namespace

Status Validate(const SampleInput& sample) {
  const std::vector<int64_t> shape = sample.shape.value_or(std::vector<int64_t>());
  return Check("sample input", sample.name)
      .Text("name", sample.name)
      .That(!sample.name.empty() && sample.name.size() <= kMaxInputName, "name", sample.name, "1 to 1024 bytes")
      .Length("shape", shape.size(), kMaxSampleRank)
      .Is(HasOnlyExtents(shape), "shape", "an extent out of range", "extents of 0 to 268435456")
      .Text("data_type", sample.data_type)
      .Length("data_type", sample.data_type.size(), 16)
      .Part(sample.fill == SampleFill::kFile ? CheckSampleFile(sample) : Status())
      .status();
}

std::string_view ToString(ModelFormat format) {
  switch (format) {
  case ModelFormat::kTflite:
    return "tflite";
  case ModelFormat::kOnnx:
    return "onnx";
  case ModelFormat::kEmulated:
    return "emulated";
  }
  return "unknown";
}

std::optional<ModelFormat> ParseModelFormat(std::string_view text) {
  return ParseEnum(text, {ModelFormat::kTflite, ModelFormat::kOnnx, ModelFormat::kEmulated});
}

const Variant* Model::Find(ModelFormat format) const {
  const auto has_format = [&](const Variant& variant) { return variant.format == format; };
  const auto found = std::find_if(variants.begin(), variants.end(), has_format);
  return found == variants.end() ? nullptr : &*found;
}

Status Validate(const Model& model) {
  return Check("model", model.name)
      .Name("name", model.name)
      .That(IsVersion(model.version), "version", model.version, "1 to 18 decimal digits without a leading zero")
      .Is(!model.variants.empty(), "variants", "empty", "at least one file")
      .Length("variants", model.variants.size(), kMaxVariants)
      .Each(model.variants, CheckVariant)
      .Is(!HasFormatTwice(model.variants), "variants", "two files of one format", "one file per format")
      .Length("samples", model.samples.size(), kMaxSamples)
      .Each(model.samples, [](const SampleInput& sample) { return Validate(sample); })
      .Is(!HasSampleTwice(model.samples), "samples", "two of one input", "one for each input")
      .status();
}

std::string Profile::key() const {
  return model.str() + "|" + std::string(ToString(format)) + "|" + device_type;
}

Status Validate(const Profile& profile) {
  return Check("profile", profile.model.str())
      .Model("model", profile.model)
      .Label("device_type", profile.device_type)
      .That(profile.service_mean > Duration::zero() && profile.service_mean <= kMaxServiceTime, "service_mean",
            profile.service_mean, "> 0 and at most 1 h")
      .Amount("service_scv", profile.service_scv)
      .That(profile.switch_overhead >= Duration::zero() && profile.switch_overhead <= kMaxServiceTime,
            "switch_overhead", profile.switch_overhead, ">= 0 and at most 1 h")
      .That(profile.memory_bytes <= kMaxMemoryBytes, "memory_bytes", profile.memory_bytes, "at most 2^50 (1 PiB)")
      .That(profile.memory_per_app_bytes <= kMaxMemoryBytes, "memory_per_app_bytes", profile.memory_per_app_bytes,
            "at most 2^50 (1 PiB)")
      .That(profile.runs >= 1, "runs", profile.runs, ">= 1")
      .status();
}

} // namespace avocet

#include "messages/model.h"

#include <algorithm>

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

} // namespace

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

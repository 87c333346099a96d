#include "cli/config/sample_inputs.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "cli/config/npy_file.h"
#include "messages/files.h"
#include "node_agent/model_files.h"

namespace avocet {
namespace {

constexpr std::string_view kRandom = "random:";

/// NAME=VALUE, at the last '=', because names of inputs may contain one.
std::optional<std::pair<std::string, std::string>> Split(std::string_view text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) return std::nullopt;
  return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

template <class Number> bool ParseNumber(std::string_view text, Number& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stop == text.data() + text.size();
}

/// "1x3x48x192".
std::optional<std::vector<int64_t>> ParseExtents(std::string_view text) {
  std::vector<int64_t> shape;
  for (;;) {
    const std::string_view extent = text.substr(0, text.find('x'));
    if (!ParseNumber(extent, shape.emplace_back()) || shape.back() < 0) return std::nullopt;
    if (extent.size() == text.size()) return shape;
    text.remove_prefix(extent.size() + 1);
  }
}

SampleToUpload* Find(std::vector<SampleToUpload>& samples, const std::string& name) {
  const auto found = std::find_if(samples.begin(), samples.end(), [&](const auto& s) { return s.sample.name == name; });
  return found == samples.end() ? nullptr : &*found;
}

Status TakeFile(const std::filesystem::path& file, SampleToUpload& upload) {
  auto bytes = ReadWholeFile(file, kMaxSampleBytes);
  if (!bytes.ok()) return bytes.status();
  upload.sample.fill = SampleFill::kFile;
  upload.data = std::move(*bytes);
  if (file.extension() != ".npy") return {};

  auto array = ParseNpy(upload.data);
  if (!array.ok()) return array.status().WithContext(file.string());
  upload.sample.shape = std::move(array->shape);
  upload.sample.data_type = std::move(array->data_type);
  upload.data = std::move(array->data);
  return {};
}

Status TakeValue(const std::string& value, SampleToUpload& upload) {
  SampleInput& sample = upload.sample;
  sample.fill = value == "zeros" ? SampleFill::kZeros : value == "ones" ? SampleFill::kOnes : SampleFill::kRandom;
  if (value == "zeros" || value == "ones" || value == "random") return {};
  if (!value.starts_with(kRandom)) return TakeFile(value, upload);
  if (ParseNumber(std::string_view(value).substr(kRandom.size()), sample.seed)) return {};
  return InvalidArgument(fmt::format("input '{}': the seed of '{}' is no whole number", sample.name, value));
}

Status AddInput(const std::string& text, std::vector<SampleToUpload>& samples) {
  const auto parts = Split(text);
  if (!parts)
    return InvalidArgument(
        fmt::format("input '{}' is not NAME=FILE, NAME=zeros, NAME=ones or NAME=random[:SEED]", text));
  if (Find(samples, parts->first)) return InvalidArgument(fmt::format("input '{}' is given twice", parts->first));
  SampleToUpload upload;
  upload.sample.name = parts->first;
  AVOCET_RETURN_IF_ERROR(TakeValue(parts->second, upload));
  samples.push_back(std::move(upload));
  return {};
}

Status AddShape(const std::string& text, std::vector<SampleToUpload>& samples) {
  const auto parts = Split(text);
  const auto shape = parts ? ParseExtents(parts->second) : std::nullopt;
  if (!shape) return InvalidArgument(fmt::format("shape '{}' is not NAME=EXTENTxEXTENT..., e.g. x=1x3x48x192", text));

  SampleToUpload* known = Find(samples, parts->first);
  if (!known) {
    samples.push_back({{.name = parts->first, .fill = SampleFill::kOnes}, {}});
    known = &samples.back();
  }
  if (known->sample.shape && *known->sample.shape != *shape)
    return InvalidArgument(fmt::format("input '{}' has two shapes; a .npy file brings its own", parts->first));
  known->sample.shape = *shape;
  return {};
}

/// What the model's record says of the data. No file can be empty: no elements are as well zeros.
void Finish(SampleToUpload& upload) {
  if (upload.sample.fill != SampleFill::kFile) return;
  if (upload.data.empty()) {
    upload.sample.fill = SampleFill::kZeros;
    return;
  }
  upload.sample.file = Sha256Of(upload.data);
  upload.sample.size_bytes = upload.data.size();
}

} // namespace

Result<std::vector<SampleToUpload>> ReadSampleInputs(const std::vector<std::string>& inputs,
                                                     const std::vector<std::string>& shapes) {
  std::vector<SampleToUpload> samples;
  for (const std::string& text : inputs)
    AVOCET_RETURN_IF_ERROR(AddInput(text, samples));
  for (const std::string& text : shapes)
    AVOCET_RETURN_IF_ERROR(AddShape(text, samples));
  for (SampleToUpload& upload : samples)
    Finish(upload);
  return samples;
}

} // namespace avocet

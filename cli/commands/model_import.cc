#include "cli/commands/model_import.h"

#include <fstream>
#include <functional>
#include <memory>

#include "node_agent/engines/model_file.h"
#include "node_agent/model_files.h"

namespace avocet {
namespace {

/// The controller may name another offset than ours this often before we give up.
constexpr int kMaxResumes = 8;

Result<ModelFormat> FormatOfFile(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".tflite") return ModelFormat::kTflite;
  if (extension == ".onnx") return ModelFormat::kOnnx;
  if (extension == ".toml") return ModelFormat::kEmulated;
  return InvalidArgument(file.string() + ": cannot tell the format from '" + extension +
                         "'; expected .tflite, .onnx or .toml (emulated)");
}

Result<ModelFile> Describe(const std::filesystem::path& file) {
  AVOCET_ASSIGN_OR_RETURN(const auto format, FormatOfFile(file));
  return ModelFile{format, file};
}

/// Reads a piece at an offset; shorter at the end.
using ReadPiece = std::function<Result<std::string>(uint64_t offset)>;

ReadPiece PiecesOfFile(const std::filesystem::path& file) {
  const auto stream = std::make_shared<std::ifstream>(file, std::ios::binary);
  return [stream, file](uint64_t offset) -> Result<std::string> {
    std::string data(kModelChunkBytes, '\0');
    stream->clear();
    stream->seekg(static_cast<std::streamoff>(offset));
    stream->read(data.data(), static_cast<std::streamsize>(data.size()));
    if (stream->bad()) return Unavailable(file.string() + ": cannot read the file");
    data.resize(static_cast<size_t>(stream->gcount()));
    return data;
  };
}

struct Upload {
  std::string what; ///< named in errors
  Sha256 sha256;
  uint64_t size_bytes = 0;
  ReadPiece read;
};

Status Send(Session& session, const Upload& upload, const OnUpload& on_upload) {
  // An empty piece asks how much of an interrupted upload is stored; that part is not sent again.
  auto stored = session.Ask(PutModelChunk{upload.sha256, 0, upload.size_bytes, ""});
  if (!stored.ok()) return stored.status();
  uint64_t offset = stored->next_offset;

  for (int resumes = 0; offset < upload.size_bytes;) {
    AVOCET_ASSIGN_OR_RETURN(auto data, upload.read(offset));

    const uint64_t expected = offset + data.size();
    stored = session.Ask(PutModelChunk{upload.sha256, offset, upload.size_bytes, std::move(data)});
    if (!stored.ok()) return stored.status();
    offset = stored->next_offset;
    // The store may answer with an earlier offset after a restart; without a limit that could go on for ever.
    if (offset != expected && ++resumes > kMaxResumes)
      return Unavailable(upload.what + ": the upload does not advance");
    if (on_upload) on_upload(static_cast<double>(offset) / static_cast<double>(upload.size_bytes));
  }
  return {};
}

Result<Variant> DescribeVariant(const ModelFile& file) {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(file.path, error);
  if (error) return NotFound(file.path.string() + ": " + error.message());
  AVOCET_ASSIGN_OR_RETURN(auto digest, Sha256OfFile(file.path));
  return Variant{file.format, digest, size};
}

} // namespace

Result<std::vector<SampleInput>> UploadSamples(Session& session, const std::vector<SampleToUpload>& samples) {
  std::vector<SampleInput> inputs;
  for (const SampleToUpload& one : samples) {
    inputs.push_back(one.sample);
    if (one.sample.fill != SampleFill::kFile) continue;
    const auto read = [&](uint64_t offset) -> Result<std::string> { return one.data.substr(offset, kModelChunkBytes); };
    AVOCET_RETURN_IF_ERROR(
        Send(session, {"input '" + one.sample.name + "'", one.sample.file, one.sample.size_bytes, read}, {}));
  }
  return inputs;
}

Result<Model> ImportModelFiles(Session& session, const ModelToImport& import, const OnUpload& on_upload) {
  std::vector<ModelFile> files;
  for (const auto& path : import.files) {
    AVOCET_ASSIGN_OR_RETURN(auto file, Describe(path));
    files.push_back(std::move(file));
  }
  std::vector<SampleInput> samples;
  for (const SampleToUpload& one : import.samples)
    samples.push_back(one.sample);
  AVOCET_RETURN_IF_ERROR(InspectModelFiles(files, samples));

  Model model{.name = import.name, .version = import.version, .imported_at = std::chrono::system_clock::now()};
  for (const ModelFile& file : files) {
    AVOCET_ASSIGN_OR_RETURN(auto variant, DescribeVariant(file));
    model.variants.push_back(std::move(variant));
  }
  AVOCET_RETURN_IF_ERROR(Validate(model));

  for (size_t i = 0; i < files.size(); ++i) {
    const Variant& variant = model.variants[i];
    const std::filesystem::path& path = files[i].path;
    AVOCET_RETURN_IF_ERROR(
        Send(session, {path.string(), variant.file, variant.size_bytes, PiecesOfFile(path)}, on_upload));
  }
  AVOCET_ASSIGN_OR_RETURN(model.samples, UploadSamples(session, import.samples));
  return session.Ask(ImportModel{model});
}

} // namespace avocet

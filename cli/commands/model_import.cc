#include "cli/commands/model_import.h"

#include <fstream>

#include "messages/files.h"
#include "node_agent/engines/emulated_model.h"
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

Status CheckEmulated(const std::filesystem::path& file) {
  AVOCET_ASSIGN_OR_RETURN(const auto text, ReadWholeFile(file, kMaxEmulatedModelFileBytes));
  return ParseEmulatedModel(text, file.string()).status();
}

Result<Variant> Describe(const std::filesystem::path& file) {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(file, error);
  if (error) return NotFound(file.string() + ": " + error.message());
  AVOCET_ASSIGN_OR_RETURN(auto format, FormatOfFile(file));
  if (format == ModelFormat::kEmulated) AVOCET_RETURN_IF_ERROR(CheckEmulated(file));
  AVOCET_ASSIGN_OR_RETURN(auto digest, Sha256OfFile(file));
  return Variant{format, digest, size};
}

Result<std::string> ReadPiece(std::ifstream& stream, uint64_t offset) {
  std::string data(kModelChunkBytes, '\0');
  stream.clear();
  stream.seekg(static_cast<std::streamoff>(offset));
  stream.read(data.data(), static_cast<std::streamsize>(data.size()));
  if (stream.bad()) return Unavailable("cannot read the file");
  data.resize(static_cast<size_t>(stream.gcount()));
  return data;
}

Status Upload(Session& session, const std::filesystem::path& file, const Variant& variant, const OnUpload& on_upload) {
  std::ifstream stream(file, std::ios::binary);
  // An empty piece asks how much of an interrupted upload is stored; that part is not sent again.
  auto stored = session.Ask(PutModelChunk{variant.file, 0, variant.size_bytes, ""});
  if (!stored.ok()) return stored.status();
  uint64_t offset = stored->next_offset;

  for (int resumes = 0; offset < variant.size_bytes;) {
    auto data = ReadPiece(stream, offset);
    if (!data.ok()) return data.status().WithContext(file.string());

    const uint64_t expected = offset + data->size();
    stored = session.Ask(PutModelChunk{variant.file, offset, variant.size_bytes, std::move(*data)});
    if (!stored.ok()) return stored.status();
    offset = stored->next_offset;
    // The store may answer with an earlier offset after a restart; without a limit that could go on for ever.
    if (offset != expected && ++resumes > kMaxResumes)
      return Unavailable(file.string() + ": the upload does not advance");
    if (on_upload) on_upload(static_cast<double>(offset) / static_cast<double>(variant.size_bytes));
  }
  return {};
}

} // namespace

Result<Model> ImportModelFiles(Session& session, const std::string& name, const std::string& version,
                               const std::vector<std::filesystem::path>& files, const OnUpload& on_upload) {
  Model model{.name = name, .version = version, .variants = {}, .imported_at = std::chrono::system_clock::now()};
  for (const auto& file : files) {
    AVOCET_ASSIGN_OR_RETURN(auto variant, Describe(file));
    model.variants.push_back(std::move(variant));
  }
  AVOCET_RETURN_IF_ERROR(Validate(model));
  for (size_t i = 0; i < files.size(); ++i)
    AVOCET_RETURN_IF_ERROR(Upload(session, files[i], model.variants[i], on_upload));
  return session.Ask(ImportModel{model});
}

} // namespace avocet

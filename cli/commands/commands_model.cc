#include <memory>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/model_import.h"
#include "cli/commands/session.h"
#include "cli/config/onnx_shapes.h"
#include "cli/render/progress.h"
#include "messages/files.h"

namespace avocet {
namespace {

struct ModelImportOptions {
  std::vector<std::filesystem::path> files; ///< one per format
  std::string name;                         ///< empty: the first file's, without its extension
  std::string version = "1";
  std::vector<std::string> shapes; ///< "input=1x3x48x192": of an .onnx file's inputs with open extents
};

struct ModelProfileOptions {
  std::string model;
  std::string device; ///< empty: one healthy device of each type
};

/// Copies of model files whose inputs' shapes are set; they go away with this.
class ShapedFiles {
public:
  ShapedFiles() = default;
  ~ShapedFiles() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  ShapedFiles(const ShapedFiles&) = delete;
  ShapedFiles& operator=(const ShapedFiles&) = delete;

  /// Puts a copy in the place of the .onnx file among `files`.
  Status Replace(const std::vector<std::string>& texts, std::vector<std::filesystem::path>& files) {
    InputShapes shapes;
    for (const std::string& text : texts)
      AVOCET_RETURN_IF_ERROR(ParseInputShape(text, shapes));
    const auto onnx = std::find_if(files.begin(), files.end(), [](const auto& f) { return f.extension() == ".onnx"; });
    if (onnx == files.end()) return InvalidArgument("--shape is for .onnx files, and none is given");
    AVOCET_ASSIGN_OR_RETURN(const auto model, ReadWholeFile(*onnx, kMaxModelFileBytes));
    const auto shaped = SetInputShapes(model, shapes);
    if (!shaped.ok()) return shaped.status().WithContext(onnx->string());
    return Write(*shaped, *onnx);
  }

private:
  Status Write(const std::string& model, std::filesystem::path& file) {
    std::string pattern = (std::filesystem::temp_directory_path() / "avocet-model-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return Unavailable("cannot make the temporary folder " + pattern);
    folder_ = pattern;
    file = folder_ / file.filename();
    std::ofstream out(file, std::ios::binary);
    out << model << std::flush;
    return out ? Status{} : Unavailable("cannot write " + file.string());
  }

  std::filesystem::path folder_;
};

int ModelImportCommand(const Context& context, const ModelImportOptions& options) {
  const std::string name = options.name.empty() ? options.files.front().stem().string() : options.name;
  std::vector<std::filesystem::path> files = options.files;
  ShapedFiles shaped;
  if (!options.shapes.empty())
    if (const Status status = shaped.Replace(options.shapes, files); !status.ok()) return Fail(context, status);
  Session session(SessionOf(context));
  ProgressBar bar(std::cerr, "upload", {.terminal = isatty(STDERR_FILENO) != 0, .width = TerminalWidth(STDERR_FILENO)});
  auto model = ImportModelFiles(session, name, options.version, files, [&](double share) {
    if (!context.quiet) bar.Update(share, name);
  });
  if (!context.quiet && model.ok()) bar.Finish(name);
  return Show(context, model);
}

int ModelListCommand(const Context& context) {
  Session session(SessionOf(context));
  return Show(context, session.Ask(ListModels{}), &ModelList::models);
}

int ModelProfileCommand(const Context& context, const ModelProfileOptions& options) {
  Session session(SessionOf(context));
  return Show(context, session.Ask(ProfileModel{options.model, DeviceId(options.device)}), &ProfileList::profiles);
}

void AddImport(CommandLine& line, CLI::App& model) {
  auto options = std::make_shared<ModelImportOptions>();
  CLI::App& import = line.Add(model, "import", "Upload a model: one file per format",
                              [options](const Context& c) { return ModelImportCommand(c, *options); });
  import.add_option("files", options->files, ".tflite, .onnx, or .toml (emulated)")
      ->required()
      ->check(CLI::ExistingFile);
  import.add_option("--name", options->name, "Name of the model [the first file's name]");
  import.add_option("--shape", options->shapes,
                    "input=1x3x48x192: shape of an .onnx file's input that leaves extents open; repeatable");
  import.add_option("--version", options->version, "Version: decimal digits")->capture_default_str();
}

void AddProfile(CommandLine& line, CLI::App& model) {
  auto options = std::make_shared<ModelProfileOptions>();
  CLI::App& profile = line.Add(model, "profile", "Measure service time, switch overhead and memory",
                               [options](const Context& c) { return ModelProfileCommand(c, *options); });
  profile.add_option("model", options->model, "name or name:version")->required();
  profile.add_option("--device", options->device, "node/device [one healthy device of each type]");
}

} // namespace

void AddModelCommands(CommandLine& line) {
  CLI::App& model = line.Group("model", "Models and their profiles");
  AddImport(line, model);
  line.Add(model, "list", "Models, their files and what was measured of them", ModelListCommand);
  AddProfile(line, model);
}

} // namespace avocet

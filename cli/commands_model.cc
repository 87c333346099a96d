#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "cli/commands.h"
#include "cli/model_import.h"
#include "cli/onnx_shapes.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "messages/files.h"

namespace avocet {
namespace {

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
    const auto model = ReadWholeFile(*onnx, kMaxModelFileBytes);
    if (!model.ok()) return model.status();
    const auto shaped = SetInputShapes(*model, shapes);
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

} // namespace

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
  auto list = session.Ask(ListModels{});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->models, context.render);
  return kExitOk;
}

int ModelProfileCommand(const Context& context, const std::string& model, const std::string& device) {
  Session session(SessionOf(context));
  auto list = session.Ask(ProfileModel{model, DeviceId(device)});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->profiles, context.render);
  return kExitOk;
}

} // namespace avocet

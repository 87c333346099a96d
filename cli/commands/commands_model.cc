#include <memory>

#include <unistd.h>

#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/model_import.h"
#include "cli/commands/session.h"
#include "cli/config/sample_inputs.h"
#include "cli/render/progress.h"

namespace avocet {
namespace {

struct ModelImportOptions {
  std::vector<std::filesystem::path> files; ///< one per format
  std::string name;                         ///< empty: the first file's, without its extension
  std::string version = "1";
};

struct ModelProfileOptions {
  std::string model;
  std::string device; ///< empty: one healthy device of each type
};

/// `--input` and `--shape`, of both commands.
struct SampleOptions {
  std::vector<std::string> inputs;
  std::vector<std::string> shapes;
};

void AddSampleFlags(CLI::App& command, SampleOptions& options) {
  command
      .add_option("--input", options.inputs,
                  "NAME=FILE|zeros|ones|random[:SEED]: an input to measure with; .npy, or raw elements; repeatable")
      ->allow_extra_args(false);
  command
      .add_option(
          "--shape", options.shapes,
          "NAME=1x3x224x224: its shape, where the model leaves extents open; clients may send others; repeatable")
      ->allow_extra_args(false);
}

int ModelImportCommand(const Context& context, const ModelImportOptions& options, const SampleOptions& inputs) {
  auto samples = ReadSampleInputs(inputs.inputs, inputs.shapes);
  if (!samples.ok()) return Fail(context, samples.status());
  const std::string name = options.name.empty() ? options.files.front().stem().string() : options.name;
  Session session(SessionOf(context));
  ProgressBar bar(std::cerr, "upload", {.terminal = isatty(STDERR_FILENO) != 0, .width = TerminalWidth(STDERR_FILENO)});
  auto model =
      ImportModelFiles(session, {name, options.version, options.files, std::move(*samples)}, [&](double share) {
        if (!context.quiet) bar.Update(share, name);
      });
  if (!context.quiet && model.ok()) bar.Finish(name);
  return Show(context, model);
}

int ModelListCommand(const Context& context) {
  Session session(SessionOf(context));
  return Show(context, session.Ask(ListModels{}), &ModelList::models);
}

int ModelProfileCommand(const Context& context, const ModelProfileOptions& options, const SampleOptions& inputs) {
  auto to_upload = ReadSampleInputs(inputs.inputs, inputs.shapes);
  if (!to_upload.ok()) return Fail(context, to_upload.status());
  Session session(SessionOf(context));
  auto samples = UploadSamples(session, *to_upload);
  if (!samples.ok()) return Fail(context, samples.status());
  return Show(context, session.Ask(ProfileModel{options.model, DeviceId(options.device), std::move(*samples)}),
              &ProfileList::profiles);
}

void AddImport(CommandLine& line, CLI::App& model) {
  auto options = std::make_shared<ModelImportOptions>();
  auto samples = std::make_shared<SampleOptions>();
  CLI::App& import = line.Add(model, "import", "Upload a model: one file per format",
                              [=](const Context& c) { return ModelImportCommand(c, *options, *samples); });
  import.add_option("files", options->files, ".tflite, .onnx, or .toml (emulated)")
      ->required()
      ->check(CLI::ExistingFile);
  import.add_option("--name", options->name, "Name of the model [the first file's name]");
  import.add_option("--version", options->version, "Version: decimal digits")->capture_default_str();
  AddSampleFlags(import, *samples);
}

void AddProfile(CommandLine& line, CLI::App& model) {
  auto options = std::make_shared<ModelProfileOptions>();
  auto samples = std::make_shared<SampleOptions>();
  CLI::App& profile = line.Add(model, "profile", "Measure service time, switch overhead and memory",
                               [=](const Context& c) { return ModelProfileCommand(c, *options, *samples); });
  profile.add_option("model", options->model, "name or name:version")->required();
  profile.add_option("--device", options->device, "node/device [one healthy device of each type]");
  AddSampleFlags(profile, *samples);
  profile.footer("Inputs that are not given are ones, or zeros where those do not run. Those given are kept with the\n"
                 "model: later measurements use them, too.");
}

} // namespace

void AddModelCommands(CommandLine& line) {
  CLI::App& model = line.Group("model", "Models and their profiles");
  AddImport(line, model);
  line.Add(model, "list", "Models, their files and what was measured of them", ModelListCommand);
  AddProfile(line, model);
}

} // namespace avocet

#include <unistd.h>

#include "cli/commands.h"
#include "cli/model_import.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace avocet {

int ModelImportCommand(const Context& context, const ModelImportOptions& options) {
  const std::string name = options.name.empty() ? options.files.front().stem().string() : options.name;
  Session session({context.address, context.timeout});
  ProgressBar bar(std::cerr, "upload", {.terminal = isatty(STDERR_FILENO) != 0, .width = TerminalWidth(STDERR_FILENO)});
  auto model = ImportModelFiles(session, name, options.version, options.files, [&](double share) {
    if (!context.quiet) bar.Update(share, name);
  });
  if (!context.quiet && model.ok()) bar.Finish(name);
  return Show(context, model);
}

int ModelListCommand(const Context& context) {
  Session session({context.address, context.timeout});
  auto list = session.Ask(ListModels{});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->models, context.render);
  return kExitOk;
}

int ModelProfileCommand(const Context& context, const std::string& model, const std::string& device) {
  Session session({context.address, context.timeout});
  auto list = session.Ask(ProfileModel{model, DeviceId(device)});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->profiles, context.render);
  return kExitOk;
}

} // namespace avocet

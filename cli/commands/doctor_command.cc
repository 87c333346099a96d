#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/doctor.h"
#include "cli/process/paths.h"
#include <memory>

namespace avocet {
namespace {

int NodeDoctorCommand(const Context& context, const std::filesystem::path& root) {
  if (!std::filesystem::is_directory(root))
    return Fail(context, NotFound("'" + root.string() + "' is no folder to look at; --root names a mounted system"));
  const auto examination = Examine({.root = root}, EnginePrefix());
  if (!examination.ok()) return Fail(context, examination.status());
  const Diagnosis diagnosis = Diagnose(*examination);
  std::cout << Render(*examination, diagnosis, context.render);
  return diagnosis.is_usable() ? kExitOk : kExitError;
}

} // namespace

void AddDoctorCommand(CommandLine& line, CLI::App& node) {
  auto root = std::make_shared<std::string>("/");
  CLI::App& doctor =
      line.Add(node, "doctor", "What this machine has for an agent, what is missing, and how to install it",
               [root](const Context& c) { return NodeDoctorCommand(c, *root); });
  doctor.add_option("--root", *root, "Look at this tree instead, e.g. a mounted disk (libraries: this system's)")
      ->capture_default_str();
  doctor.footer("Asks no controller, changes nothing, and prints an agent.toml that would work here.\n"
                "Exit codes: 0 something can serve models, 1 nothing can.");
}

} // namespace avocet

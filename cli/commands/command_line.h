#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands/context.h"
#include "messages/policy.h"

namespace avocet {

/// The program's command line: the flags that all commands share, and the commands that were added to it. A command is
/// added by the file that carries it out (cli/commands/commands.h lists them).
class CommandLine {
public:
  /// Carries out the command that was chosen and returns the exit code.
  using Runner = std::function<int(const Context&)>;

  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// A command of the program, or of a group: `parent`. Flags are added to what is returned; it lives as long as this.
  CLI::App& Add(const std::string& name, const std::string& help, Runner run) {
    return Add(app_, name, help, std::move(run));
  }
  CLI::App& Add(CLI::App& parent, const std::string& name, const std::string& help, Runner run);
  /// A command that only groups others, e.g. `app`.
  CLI::App& Group(const std::string& name, const std::string& help);
  /// The flag --json of one command, a short form of -o json.
  void AddJsonFlag(CLI::App& command);

  /// Parses, then runs the command that was chosen. Help, usage errors: the exit code that they have. Called once.
  int Run(int argc, char** argv);

private:
  void AddGlobalFlags();
  int Refuse(const std::vector<std::string>& arguments, const Status& why);
  Status Finish();
  Status FinishTls();

  CLI::App app_;
  Context context_;
  Runner run_;
  std::string output_ = "table";
  std::string log_level_ = "info";
  double timeout_s_ = 300;
  TlsOptions tls_;
  bool json_ = false;
};

/// The flags that say how to choose among the devices that pass, for one command only. `moves`: the name, or names, of
/// the flag that says how many residents may move. `options` must live until the command ran.
void AddPlacementFlags(CLI::App& command, PlacementOptions& options, const std::string& moves = "--max-moves");

} // namespace avocet

#pragma once

#include <filesystem>
#include <string>

#include "cli/commands/context.h"

namespace CLI {
class App;
}

namespace avocet {

class CommandLine;

// The program's commands. Each function adds one command, or a group of them, with its flags, to the command line. A
// command prints its result on stdout, what went wrong on stderr (with -o json: on stdout), progress on stderr, and
// returns the exit code.

void AddVersionCommand(CommandLine& line);
void AddNodeCommands(CommandLine& line);
/// Of the group of nodes. Asks no controller: this machine, or a tree like it.
void AddDoctorCommand(CommandLine& line, CLI::App& node);
void AddDeviceCommands(CommandLine& line);
void AddRebalanceCommand(CommandLine& line);
void AddEventsCommand(CommandLine& line);
void AddModelCommands(CommandLine& line);
void AddAppCommands(CommandLine& line);
void AddLoadCommand(CommandLine& line);
void AddControllerCommand(CommandLine& line);
void AddAgentCommand(CommandLine& line);
void AddTlsCommands(CommandLine& line);
void AddDevCommand(CommandLine& line);
void AddDemoCommand(CommandLine& line);

// These ask no controller: the models alone, or a cluster that a file describes.

void AddSimulateCommand(CommandLine& line);
void AddCapacityCommand(CommandLine& line);

struct PredictOptions {
  std::filesystem::path file;       ///< devices and their applications
  std::filesystem::path cases;      ///< instead: queueing cases
  int simulated_requests = 1000000; ///< where only an approximation is known; 0: the approximation
  bool pessimistic = false;         ///< what was measured at its upper 95 % bound
};
int PredictCommand(const Context& context, const PredictOptions& options);
void AddPredictCommand(CommandLine& line);

struct ReplayOptions {
  std::filesystem::path file; ///< records of a FIFO device, CSV
  std::string fit_run;        ///< that the models are fitted on; empty: the first
};
int ReplayCommand(const Context& context, const ReplayOptions& options);
void AddReplayCommand(CommandLine& line);

} // namespace avocet

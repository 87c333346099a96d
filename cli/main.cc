#include <cstdlib>

#include "actors/wire/rpc_log.h"
#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/process/last_words.h"
#include "messages/tls/openssl_exit.h"

namespace avocet {
namespace {

/// In the order in which --help shows them.
void AddCommands(CommandLine& line) {
  // In this order --help lists them: first what is asked of a cluster, then what runs one.
  AddVersionCommand(line);
  AddNodeCommands(line);
  AddDeviceCommands(line);
  AddRebalanceCommand(line);
  AddEventsCommand(line);
  AddModelCommands(line);
  AddAppCommands(line);
  AddLoadCommand(line);
  AddPredictCommand(line);
  AddReplayCommand(line);

  AddControllerCommand(line);
  AddAgentCommand(line);
  AddTlsCommands(line);

  AddSimulateCommand(line);
  AddCapacityCommand(line);
  AddDevCommand(line);
  AddDemoCommand(line);
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  // Later builds of ONNX Runtime than the one that we install send telemetry unless this variable is set,
  // and read this when they are loaded. Set before there are threads; the operator's own value stays.
  setenv("ORT_DISABLE_TELEMETRY", "1", 0); // NOLINT(concurrency-mt-unsafe)
  avocet::SkipOpensslCleanup();
  avocet::InstallLastWords();
  // The statuses of calls say all that people need; gRPC would print lines of its C++ sources. Daemons route it anew.
  avocet::QuietRpcLog();

  avocet::CommandLine line;
  avocet::AddCommands(line);
  return line.Run(argc, argv);
}

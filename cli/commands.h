#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/context.h"
#include "messages/policy.h"

namespace avocet {

// One function per command. Each prints its result on stdout, what went wrong on stderr (with
// -o json: on stdout), progress on stderr, and returns the exit code.

int VersionCommand(const Context& context, bool client_only);
int NodeListCommand(const Context& context);
/// Asks no controller: this machine, or a tree like it.
int NodeDoctorCommand(const Context& context, const std::filesystem::path& root);
int DeviceListCommand(const Context& context);
/// `plan_only`: exit 3 where there are moves to make. Otherwise makes them and waits until all serve.
int RebalanceCommand(const Context& context, int max_moves, bool plan_only);
/// `follow`: goes on with what happens, until a signal.
int EventsCommand(const Context& context, uint64_t after_sequence, bool follow);

struct ModelImportOptions {
  std::vector<std::filesystem::path> files; ///< one per format
  std::string name;                         ///< empty: the first file's, without its extension
  std::string version = "1";
  std::vector<std::string> shapes; ///< "input=1x3x48x192": of an .onnx file's inputs with open extents
};
int ModelImportCommand(const Context& context, const ModelImportOptions& options);
int ModelListCommand(const Context& context);
int ModelProfileCommand(const Context& context, const std::string& model, const std::string& device);

struct AppApplyOptions {
  std::filesystem::path file;
  PlacementOptions placement;
  bool wait = true; ///< until the application serves
};
int AppPlanCommand(const Context& context, const AppApplyOptions& options, bool detailed_exit_code);
int AppApplyCommand(const Context& context, const AppApplyOptions& options);
int AppListCommand(const Context& context);
int AppStatusCommand(const Context& context, const std::string& app);
int AppExplainCommand(const Context& context, const std::string& app);
int AppRemoveCommand(const Context& context, const std::string& app);

struct LoadOptions {
  std::vector<std::string> targets;  ///< "app" (its declared rate) or "app=rate"; with a trace empty: all of it
  std::string endpoint;              ///< empty: the agent that hosts the applications
  std::filesystem::path endpoint_ca; ///< of the endpoint's certificate; empty: it is not encrypted
  std::string protocol = "grpc";     ///< grpc | http
  std::filesystem::path trace;       ///< CSV of arrivals; empty: drawn
  uint64_t concurrency = 0;          ///< > 0: a closed loop
  double duration_s = 0;             ///< 0: 10 s, or the length of the trace
  double warm_up_s = 0;
  std::string arrival; ///< empty: the application's own, else poisson
  uint64_t seed = 1;
  size_t connections = 0; ///< 0: the protocol's default
  uint64_t max_outstanding = 1024;
  bool random_inputs = false;
};
int LoadCommand(const Context& context, const LoadOptions& options);

/// Asks no controller: the models alone.
struct PredictOptions {
  std::filesystem::path file;       ///< devices and their applications
  std::filesystem::path cases;      ///< instead: queueing cases
  int simulated_requests = 1000000; ///< where only an approximation is known; 0: the approximation
  bool pessimistic = false;         ///< what was measured at its upper 95 % bound
};
int PredictCommand(const Context& context, const PredictOptions& options);

struct ReplayOptions {
  std::filesystem::path file; ///< records of a FIFO device, CSV
  std::string fit_run;        ///< that the models are fitted on; empty: the first
};
int ReplayCommand(const Context& context, const ReplayOptions& options);

/// Flags win over the file; what both leave out has its default.
struct ControllerCommandOptions {
  std::filesystem::path config;   ///< empty: defaults
  std::filesystem::path data_dir; ///< empty: the config's
  std::string listen;             ///< empty: the config's
};
int ControllerCommand(const Context& context, const ControllerCommandOptions& options);

struct AgentCommandOptions {
  std::filesystem::path config;
  std::string name;
  std::filesystem::path data_dir;
  std::string controller;
  std::string inference;
};
int AgentCommand(const Context& context, const AgentCommandOptions& options);

struct TlsCommandOptions {
  std::filesystem::path directory; ///< of the authority; empty: DefaultTlsDir()
  bool force = false;              ///< replaces what is there
  bool rotate = false;             ///< init: replaces the authority, and the old one stays trusted
  std::string role;                ///< issue: controller, agent, admin or client
  std::string name;
  std::vector<std::string> hosts; ///< issue: names and addresses that it is dialled under
  int days = 365;
};
int TlsInitCommand(const Context& context, const TlsCommandOptions& options);
int TlsIssueCommand(const Context& context, const TlsCommandOptions& options);

struct DevOptions {
  std::filesystem::path config;   ///< empty: defaults
  std::filesystem::path data_dir; ///< empty: the config's, else ~/.local/share/avocet/dev
  std::string listen;             ///< empty: the config's
  std::string inference;          ///< empty: the config's
};
int DevCommand(const Context& context, const DevOptions& options);

struct DemoOptions {
  uint64_t seed = 1;
  bool keep = false; ///< goes on serving until a signal, and leaves the data folder
};
int DemoCommand(const Context& context, const DemoOptions& options);

} // namespace avocet

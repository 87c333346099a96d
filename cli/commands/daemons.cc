#include <atomic>
#include <memory>
#include <random>

#include <spdlog/spdlog.h>

#include "actors/actor_system.h"
#include "actors/agent/agent_process.h"
#include "actors/controller/controller_process.h"
#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/serve.h"
#include "cli/config/config_files.h"
#include "cli/config/inference_options.h"
#include "cli/process/paths.h"
#include "cli/process/probe_devices.h"
#include "cli/process/signals.h"
#include "messages/tls/tls_files.h"

namespace avocet {
namespace {

/// Flags win over the file; what both leave out has its default.
struct ControllerCommandOptions {
  std::filesystem::path config;   ///< empty: defaults
  std::filesystem::path data_dir; ///< empty: the config's
  std::string listen;             ///< empty: the config's
};

struct AgentCommandOptions {
  std::filesystem::path config;
  std::string name;
  std::filesystem::path data_dir;
  std::string controller;
  std::string inference;
};

/// The configuration of the file, or the defaults when none is named.
template <class Config> Result<Config> ReadConfig(const std::filesystem::path& file,
                                                  Result<Config> (*parse)(std::string_view, const std::string&)) {
  if (file.empty()) return Config{};
  AVOCET_ASSIGN_OR_RETURN(auto text, ReadConfigFile(file));
  return parse(text, file.string());
}

void Override(std::string& value, const std::string& flag) {
  if (!flag.empty()) value = flag;
}

Result<ControllerConfig> ConfigOf(const ControllerCommandOptions& options) {
  auto config = ReadConfig<ControllerConfig>(options.config, ParseControllerConfig);
  if (!config.ok()) return config;
  Override(config->data_dir, options.data_dir.string());
  Override(config->listen, options.listen);
  AVOCET_RETURN_IF_ERROR(Validate(*config));
  return config;
}

Result<AgentConfig> ConfigOf(const AgentCommandOptions& options) {
  auto config = ReadConfig<AgentConfig>(options.config, ParseAgentConfig);
  if (!config.ok()) return config;
  Override(config->name, options.name);
  Override(config->data_dir, options.data_dir.string());
  Override(config->controller, options.controller);
  Override(config->inference.grpc, options.inference);
  if (config->name.empty()) return InvalidArgument("an agent needs a name: --name, or name = \"...\" in --config");
  AVOCET_RETURN_IF_ERROR(Validate(*config));
  return config;
}

/// Flags win, then the file. The environment comes last: it may be that of an administrator's shell. Logs which it was.
std::optional<TlsOptions> CertificateOf(const Context& context, const std::optional<TlsOptions>& in_file,
                                        const std::filesystem::path& file) {
  const bool uses_file = in_file && !context.tls_flags;
  if (uses_file && context.tls)
    spdlog::info("AVOCET_TLS_* of the environment not used file={} reason=\"it has [tls]\"", file.string());

  const auto& chosen = uses_file ? in_file : context.tls;
  if (chosen)
    spdlog::info("certificate file={} named_by={}", chosen->certificate.string(),
                 uses_file           ? file.string()
                 : context.tls_flags ? "flags"
                                     : "environment");
  return chosen;
}

/// Becomes false when the actor ends.
std::shared_ptr<std::atomic<bool>> Watch(const caf::actor& root) {
  auto alive = std::make_shared<std::atomic<bool>>(true);
  root->attach_functor([alive](const caf::error&) { *alive = false; });
  return alive;
}

Result<std::unique_ptr<AgentProcess>> StartAgent(caf::actor_system& system, const AgentConfig& config) {
  // Before the probe, which takes longer: a wrong certificate fails at once.
  AVOCET_RETURN_IF_ERROR(CheckTls(config.tls, config.controller, std::chrono::system_clock::now()));
  AVOCET_ASSIGN_OR_RETURN(auto devices, ProbeDevices(config));

  AgentProcessOptions process{.id = NodeId(config.name),
                              .data_dir = config.data_dir,
                              .prefix = EnginePrefix(),
                              .devices = std::move(devices),
                              .advertise_address = config.advertise_address,
                              .core_speed = config.core_speed,
                              .inference = GrpcOptions(config.inference),
                              .http = HttpOptions(config.inference),
                              .core = CoreOptions(config.inference),
                              .queues = QueuesOf(config),
                              .agent = {}};

  // Linked last: commands of the controller arrive as soon as the link stands.
  auto agent = AgentProcess::Start(system, process);
  if (agent.ok()) (*agent)->Link({.address = config.controller, .tls = config.tls, .seed = std::random_device{}()});
  return agent;
}

int ControllerCommand(const Context& context, const ControllerCommandOptions& options) {
  // Before any thread starts, because threads inherit the signal mask.
  HoldSignals();
  auto config = ConfigOf(options);
  if (!config.ok()) return Fail(context, config.status());
  if (const Status ready = PrepareToServe(); !ready.ok()) return Fail(context, ready);

  ControllerProcessOptions process{.data_dir = config->data_dir, .control = {}, .controller = {}};
  process.control.address = config->listen;
  process.control.tls = CertificateOf(context, config->tls, options.config);
  if (process.control.tls) HideMemory();
  process.controller.policy = config->policy;
  process.control.connections = {.max_connections = static_cast<size_t>(config->connections),
                                 .max_per_address = static_cast<size_t>(config->connections_per_address)};

  ActorSystemConfig actors;
  caf::actor_system system{actors};
  auto controller = ControllerProcess::Start(system, process);
  if (!controller.ok()) return Fail(context, controller.status());

  // An actor that ends by itself must end the process too, or its supervisor would not restart it.
  const auto alive = Watch(caf::actor_cast<caf::actor>((*controller)->actor()));
  return ServeUntilSignal(context, {.addresses = {{"control", (*controller)->address()}},
                                    .data_dir = config->data_dir,
                                    .alive = [alive] { return alive->load(); },
                                    .stop = [&] { (*controller)->Stop(); }});
}

int AgentCommand(const Context& context, const AgentCommandOptions& options) {
  // Before any thread starts, because threads inherit the signal mask.
  HoldSignals();
  auto config = ConfigOf(options);
  if (!config.ok()) return Fail(context, config.status());
  if (const Status ready = PrepareToServe(); !ready.ok()) return Fail(context, ready);

  ActorSystemConfig actors;
  caf::actor_system system{actors};
  config->tls = CertificateOf(context, config->tls, options.config);
  if (config->tls || config->inference.tls) HideMemory();
  auto agent = StartAgent(system, *config);
  if (!agent.ok()) return Fail(context, agent.status());

  // An actor that ends by itself must end the process too, or its supervisor would not restart it.
  const auto alive = Watch(caf::actor_cast<caf::actor>((*agent)->actor()));
  return ServeUntilSignal(context, {.addresses = {{"inference", (*agent)->inference_address()},
                                                  {"rest", (*agent)->rest_address()},
                                                  {"metrics", (*agent)->metrics_address()}},
                                    .data_dir = config->data_dir,
                                    .alive = [alive] { return alive->load(); },
                                    .stop = [&] { (*agent)->Stop(); }});
}

} // namespace

void AddControllerCommand(CommandLine& line) {
  auto options = std::make_shared<ControllerCommandOptions>();
  CLI::App& controller = line.Add("controller", "Decides where applications run; agents and the CLI talk to it",
                                  [options](const Context& c) { return ControllerCommand(c, *options); });
  controller.add_option("--config", options->config, "controller.toml");
  controller.add_option("--data-dir", options->data_dir, "Where records and models are kept");
  controller.add_option("--listen", options->listen, "Control and link; port 0 is any free one [127.0.0.1:7400]");
}

void AddAgentCommand(CommandLine& line) {
  auto options = std::make_shared<AgentCommandOptions>();
  CLI::App& agent = line.Add("agent", "Serves inference on this machine's devices, as its controller commands",
                             [options](const Context& c) { return AgentCommand(c, *options); });
  agent.add_option("--config", options->config, "agent.toml");
  agent.add_option("--name", options->name, "Name of the node");
  agent.add_option("--data-dir", options->data_dir, "Where the plan and models are kept");
  agent.add_option("--controller", options->controller, "Address of the controller [127.0.0.1:7400]");
  agent.add_option("--inference", options->inference, "Inference address; port 0 is any free one [127.0.0.1:8001]");
}

} // namespace avocet

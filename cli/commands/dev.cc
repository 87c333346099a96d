#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/local_cluster.h"
#include "cli/commands/serve.h"
#include "cli/process/paths.h"
#include "cli/process/signals.h"
#include <memory>

namespace avocet {
namespace {

struct DevOptions {
  std::filesystem::path config;   ///< empty: defaults
  std::filesystem::path data_dir; ///< empty: the config's, else ~/.local/share/avocet/dev
  std::string listen;             ///< empty: the config's
  std::string inference;          ///< empty: the config's
};

Result<DevConfig> ReadConfig(const DevOptions& options) {
  DevConfig config;
  if (!options.config.empty()) {
    AVOCET_ASSIGN_OR_RETURN(auto text, ReadConfigFile(options.config));
    AVOCET_ASSIGN_OR_RETURN(auto parsed, ParseDevConfig(text, options.config.string()));
    config = std::move(parsed);
  }
  if (!options.listen.empty()) config.listen = options.listen;
  if (!options.inference.empty()) config.agent.inference.grpc = options.inference;
  if (!options.data_dir.empty()) config.agent.data_dir = options.data_dir;
  if (config.agent.data_dir.empty()) config.agent.data_dir = DefaultDevDataDir();
  return config;
}

int DevCommand(const Context& context, const DevOptions& options) {
  HoldSignals();
  auto config = ReadConfig(options);
  if (!config.ok()) return Fail(context, config.status());
  if (const Status ready = PrepareToServe(); !ready.ok()) return Fail(context, ready);
  if (config->agent.tls || config->agent.inference.tls) HideMemory();
  auto cluster = LocalCluster::Start({.config = *config, .data_dir = config->agent.data_dir, .prefix = EnginePrefix()});
  if (!cluster.ok()) return Fail(context, cluster.status());
  return ServeUntilSignal(context, {.addresses = {{"control", (*cluster)->control_address()},
                                                  {"inference", (*cluster)->inference_address()},
                                                  {"rest", (*cluster)->rest_address()},
                                                  {"metrics", (*cluster)->metrics_address()}},
                                    .data_dir = config->agent.data_dir,
                                    .alive = [&] { return (*cluster)->alive(); },
                                    .stop = [&] { (*cluster)->Stop(); }});
}

} // namespace

void AddDevCommand(CommandLine& line) {
  auto options = std::make_shared<DevOptions>();
  CLI::App& dev = line.Add("dev", "A controller and an agent in one process, for laptops and tests",
                           [options](const Context& c) { return DevCommand(c, *options); });
  dev.add_option("--config", options->config, "TOML: the keys of an agent, listen, [policy]");
  dev.add_option("--data-dir", options->data_dir, "Where records and models are kept");
  dev.add_option("--listen", options->listen, "Control address; port 0 is any free one [127.0.0.1:7400]");
  dev.add_option("--inference", options->inference,
                 "gRPC inference address [127.0.0.1:8001]; port 0: any free one, also for REST and metrics");
}

} // namespace avocet

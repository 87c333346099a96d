#include "cli/commands.h"
#include "cli/local_cluster.h"
#include "cli/paths.h"
#include "cli/serve.h"
#include "cli/signals.h"

namespace avocet {
namespace {

Result<DevConfig> ReadConfig(const DevOptions& options) {
  DevConfig config;
  if (!options.config.empty()) {
    auto text = ReadConfigFile(options.config);
    if (!text.ok()) return text.status();
    auto parsed = ParseDevConfig(*text, options.config.string());
    if (!parsed.ok()) return parsed.status();
    config = std::move(*parsed);
  }
  if (!options.listen.empty()) config.listen = options.listen;
  if (!options.inference.empty()) config.agent.inference.grpc = options.inference;
  if (!options.data_dir.empty()) config.agent.data_dir = options.data_dir;
  if (config.agent.data_dir.empty()) config.agent.data_dir = DefaultDevDataDir();
  return config;
}

} // namespace

int DevCommand(const Context& context, const DevOptions& options) {
  HoldSignals();
  auto config = ReadConfig(options);
  if (!config.ok()) return Fail(context, config.status());
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

} // namespace avocet

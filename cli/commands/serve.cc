#include "cli/commands/serve.h"

#include <unistd.h>

#include <algorithm>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "cli/process/signals.h"
#include "messages/invariant.h"
#include "node_agent/ports/descriptor_limit.h"

namespace avocet {
namespace {

void PrintReady(const Context& context, const Served& served) {
  if (context.render.format == OutputFormat::kJson) {
    nlohmann::ordered_json line = {{"v", 1}};
    for (const auto& [name, address] : served.addresses)
      line[name] = address;
    std::cout << line.dump() << std::endl;
    return;
  }
  for (const auto& [name, address] : served.addresses)
    std::cout << name << std::string(10 - std::min<size_t>(9, name.size()), ' ') << address << '\n';
  std::cout << "data      " << served.data_dir << "\nready; stop with ctrl-c" << std::endl;
}

} // namespace

void PrepareToServe() {
  const RaisedLimit descriptors = RaiseDescriptorLimit();
  spdlog::info("descriptor limit before={} after={}", descriptors.before, descriptors.after);
}

int ServeUntilSignal(const Context& context, const Served& served) {
  AVOCET_CHECK(SignalsAreHeld());
  PrintReady(context, served);
  for (const auto& [name, address] : served.addresses)
    spdlog::info("ready endpoint={} address={}", name, address);
  const int signal = WaitForSignal(served.alive);
  if (signal != 0)
    spdlog::info("stopping signal={}", signal);
  else
    spdlog::error("a root actor ended; stopping");
  alarm(kStopLimitSeconds); // SIGALRM ends the process
  served.stop();
  alarm(0);
  return signal != 0 ? kExitOk : kExitError;
}

} // namespace avocet

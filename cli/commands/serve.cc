#include "cli/commands/serve.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "cli/process/signals.h"
#include "messages/invariant.h"
#include "node_agent/ports/descriptor_limit.h"

namespace avocet {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(500);
/// What an idle agent or controller has open, with some for its clients.
constexpr size_t kLeastDescriptors = 128;

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

/// What holds up the end is most often a disk that does not sync.
void EndAsItIs(int) {
  static constexpr std::string_view kText = "error: not stopped in order in time, perhaps a disk does not answer; "
                                            "ended as it is. What was acknowledged is on disk.\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kText.data(), kText.size());
  _exit(kExitError);
}

/// Operators and log rotation send it to daemons.
void OnHangup() {
  spdlog::info("SIGHUP noted effect=\"certificates are read when their files change, without a signal; other settings "
               "need a restart\"");
}

} // namespace

Status PrepareToServe() {
  const RaisedLimit descriptors = RaiseDescriptorLimit();
  spdlog::info("descriptor limit before={} after={}", descriptors.before, descriptors.after);
  umask(0077);
  if (descriptors.after >= kLeastDescriptors) return {};
  return ResourceExhausted("this process may have " + std::to_string(descriptors.after) +
                           " open descriptors, serving takes at least " + std::to_string(kLeastDescriptors) +
                           "; raise the limit (ulimit -n, LimitNOFILE of systemd)");
}

void HideMemory() {
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return spdlog::warn("core dumps may hold private keys errno={}", errno);
  spdlog::info("private keys in use: no core dumps, and no debuggers but root's");
}

int ServeUntilSignal(const Context& context, const Served& served) {
  AVOCET_CHECK(SignalsAreHeld());
  PrintReady(context, served);
  for (const auto& [name, address] : served.addresses)
    spdlog::info("ready endpoint={} address={}", name, address);
  const int signal = WaitForSignal(served.alive, kPoll, OnHangup);
  if (signal != 0)
    spdlog::info("stopping signal={}", signal);
  else
    spdlog::error("a root actor ended; stopping");
  std::signal(SIGALRM, EndAsItIs);
  alarm(kStopLimitSeconds);
  served.stop();
  alarm(kTeardownLimitSeconds); // a thread may still wait for the disk
  return signal != 0 ? kExitOk : kExitError;
}

} // namespace avocet

#include "cli/commands/command_line.h"

#include <map>
#include <utility>
#include <vector>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/render/table.h"
#include "cli/text/suggest.h"

namespace avocet {

CommandLine::CommandLine()
    : app_("Avocet: inference on shared edge accelerators, admitted only where every latency objective holds.",
           "avocet") {
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.footer("Begin with `avocet demo`, or `avocet dev` and the commands below against it.\n"
              "Exit codes: 0 ok, 1 error, 2 rejected, 3 plan has changes, 4 timed out, 5 denied, 64 usage.");
  AddGlobalFlags();
}

CLI::App& CommandLine::Add(CLI::App& parent, const std::string& name, const std::string& help, Runner run) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->fallthrough();
  command->callback([this, run = std::move(run)] { run_ = run; });
  return *command;
}

CLI::App& CommandLine::Group(const std::string& name, const std::string& help) {
  CLI::App* group = app_.add_subcommand(name, help);
  group->require_subcommand(1);
  group->fallthrough();
  return *group;
}

void CommandLine::AddJsonFlag(CLI::App& command) {
  command.add_flag("--json", json_, "The same as -o json");
}

int CommandLine::Run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return Explain(error);
  }
  Finish();
  return run_(context_);
}

void CommandLine::AddGlobalFlags() {
  app_.add_option("--addr", context_.address, "Address of the controller")
      ->envname("AVOCET_ADDR")
      ->capture_default_str();

  // With environment variables, as nobody types three paths for every command.
  app_.add_option("--tls-ca", tls_.ca, "Certificate of the authority that the controller's must descend from")
      ->envname("AVOCET_TLS_CA");
  app_.add_option("--tls-cert", tls_.certificate, "Own certificate, role admin or client")->envname("AVOCET_TLS_CERT");
  app_.add_option("--tls-key", tls_.key, "Its private key")->envname("AVOCET_TLS_KEY");

  app_.add_option("-o,--output", output_, "table (for people) or json (for programs)")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();

  // At most a day: a script must not hang for ever.
  app_.add_option("--timeout", timeout_s_, "Seconds to wait for an answer")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  app_.add_flag("-q,--quiet", context_.quiet, "No progress on stderr");
  app_.add_option("--log-level", log_level_, "error, warn, info or debug (stderr)")
      ->check(CLI::IsMember({"error", "warn", "info", "debug"}))
      ->capture_default_str();
}

/// Help, or what is wrong. What CLI11 calls a missing subcommand may be a misspelt one.
int CommandLine::Explain(const CLI::ParseError& error) {
  const auto strangers = app_.remaining(true);
  const bool misspelt = !strangers.empty() && !strangers.front().starts_with('-');
  if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::RequiredError) || !misspelt)
    return app_.exit(error) == 0 ? kExitOk : kExitUsage;
  const auto chosen = app_.get_subcommands();
  std::vector<std::string> names;
  for (const CLI::App* command : (chosen.empty() ? &app_ : chosen.front())->get_subcommands(nullptr))
    names.push_back(command->get_name());
  std::cerr << "unknown command '" << strangers.front() << "'"
            << Suggestion(strangers.front(), std::vector<std::string_view>(names.begin(), names.end()))
            << "\nRun with --help for more information.\n";
  return kExitUsage;
}

void CommandLine::Finish() {
  if (json_) output_ = "json";
  context_.render = {.format = output_ == "json" ? OutputFormat::kJson : OutputFormat::kTable,
                     .color = UseColor(STDOUT_FILENO)};
  context_.timeout = FromSeconds(timeout_s_);
  if (tls_ != TlsOptions{}) context_.tls = tls_;
  auto logger = spdlog::stderr_logger_mt("avocet");
  logger->set_level(spdlog::level::from_str(log_level_));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  spdlog::set_default_logger(logger);
}

void AddPlacementFlags(CLI::App& command, PlacementOptions& options, const std::string& moves) {
  std::map<std::string, PlacementPolicy> policies;
  for (const auto policy : kPlacementPolicies)
    policies[std::string(ToString(policy))] = policy;
  command.add_option("--policy", options.policy, "How to choose among the devices that pass [the cluster's]")
      ->transform(CLI::CheckedTransformer(policies).description(""))
      ->type_name("POLICY");
  command.add_option(moves, options.max_moves, "Residents that may move to make room [the cluster's]")
      ->check(CLI::Range(0, kMaxMovesPerDecision));
}

} // namespace avocet

#include "cli/commands/command_line.h"

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <system_error>
#include <utility>
#include <vector>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/commands/flags.h"
#include "cli/commands/usage_error.h"
#include "cli/process/paths.h"
#include "cli/render/table.h"
#include "cli/text/log_format.h"

namespace avocet {
namespace {

using Arguments = std::vector<std::string>;

/// `help app plan` is `app plan --help`; `-v` alone asks for the version, as with many programs.
Arguments Expand(Arguments arguments) {
  if (arguments.empty()) return arguments;
  if (arguments == Arguments{"-v"} || arguments == Arguments{"-V"}) return {"--version"};
  if (arguments.front() != "help") return arguments;
  arguments.erase(arguments.begin());
  arguments.emplace_back("--help");
  return arguments;
}

/// As CLI11 takes them.
Arguments Reversed(Arguments arguments) {
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

/// Of a command line that may be broken.
bool WantsJson(const Arguments& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const bool names_output = word == "-o" || word == "--output";
    if (word == "--json" || word == "-ojson" || word == "--output=json") return true;
    if (names_output && i + 1 < arguments.size() && arguments[i + 1] == "json") return true;
  }
  return false;
}

Status CheckWhole(const TlsOptions& tls) {
  const auto missing = [](const char* flag, const char* variable) {
    return InvalidArgument(std::string(flag) + " (or " + variable +
                           ") is missing: --tls-ca, --tls-cert and --tls-key go together");
  };
  if (tls.ca.empty()) return missing("--tls-ca", "AVOCET_TLS_CA");
  if (tls.certificate.empty()) return missing("--tls-cert", "AVOCET_TLS_CERT");
  return tls.key.empty() ? missing("--tls-key", "AVOCET_TLS_KEY") : Status{};
}

/// A result that nobody could read is an error, whatever the command did.
int Flushed(int exit_code) {
  errno = 0;
  if (std::cout.flush()) return exit_code;
  std::cerr << "error: cannot write to the standard output"
            << (errno != 0 ? ": " + std::generic_category().message(errno) : std::string()) << '\n';
  return exit_code == kExitOk ? kExitError : exit_code;
}

} // namespace

CommandLine::CommandLine()
    : app_("Avocet: inference on shared edge accelerators, admitted only where every latency objective holds.",
           "avocet") {
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.set_version_flag("--version", "avocet " AVOCET_VERSION, "The version of this program");
  app_.footer("`avocet help COMMAND` explains a command. Begin with `avocet demo`, or `avocet dev` and the commands "
              "above against it.\n"
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
    app_.parse(Reversed(Expand({argv + 1, argv + argc})));
  } catch (const CLI::Success& asked) {
    return app_.exit(asked);
  } catch (const CLI::ParseError& error) {
    return Refuse({argv + 1, argv + argc}, ExplainUsage(app_, error));
  }

  if (const Status status = Finish(); !status.ok()) return Refuse({argv + 1, argv + argc}, status);
  return Flushed(run_(context_));
}

void CommandLine::AddGlobalFlags() {
  app_.add_option("--addr", context_.address, "Address of the controller")
      ->envname("AVOCET_ADDR")
      ->capture_default_str();

  // With environment variables, as nobody types three paths for every command. Finish reads them: CLI11 would not tell
  // them from flags, and a daemon's file goes before them.
  app_.add_option("--tls-ca", tls_.ca, "Certificate of the authority that the controller's must descend from")
      ->type_name("FILE [AVOCET_TLS_CA]");
  app_.add_option("--tls-cert", tls_.certificate, "Own certificate, role admin or client")
      ->type_name("FILE [AVOCET_TLS_CERT]");
  app_.add_option("--tls-key", tls_.key, "Its private key")->type_name("FILE [AVOCET_TLS_KEY]");

  app_.add_option("-o,--output", output_, "table (for people) or json (for programs)")
      ->check(OneOf({"table", "json"}))
      ->capture_default_str();

  // At most a day: a script must not hang for ever.
  app_.add_option("--timeout", timeout_s_, "Seconds to wait for an answer")
      ->check(Within(0.1, 86400))
      ->capture_default_str();
  app_.add_flag("-q,--quiet", context_.quiet, "No progress on stderr");
  app_.add_option("--log-level", log_level_, "error, warn, info or debug (stderr)")
      ->check(OneOf({"error", "warn", "info", "debug"}))
      ->capture_default_str();
}

/// Where all other errors are said, and with its own exit code.
int CommandLine::Refuse(const std::vector<std::string>& arguments, const Status& why) {
  if (WantsJson(arguments)) context_.render.format = OutputFormat::kJson;
  (void)Fail(context_, why);
  return Flushed(kExitUsage);
}

Status CommandLine::Finish() {
  if (json_) output_ = "json";
  context_.render = {.format = output_ == "json" ? OutputFormat::kJson : OutputFormat::kTable,
                     .color = UseColor(STDOUT_FILENO)};
  context_.timeout = FromSeconds(timeout_s_);
  AVOCET_RETURN_IF_ERROR(FinishTls());

  auto logger = spdlog::stderr_logger_mt("avocet");
  logger->set_level(spdlog::level::from_str(log_level_));
  logger->set_formatter(MakeLogFormatter());
  spdlog::set_default_logger(logger);
  return {};
}

Status CommandLine::FinishTls() {
  context_.tls_flags = tls_ != TlsOptions{};
  const TlsOptions environment = EnvironmentTls();
  for (const auto file : {&TlsOptions::ca, &TlsOptions::certificate, &TlsOptions::key})
    if ((tls_.*file).empty()) tls_.*file = environment.*file;
  if (tls_ == TlsOptions{}) return {};

  context_.tls = tls_;
  // What a daemon does not use need not be whole; whether it does, its file says.
  const bool is_daemon = app_.got_subcommand("controller") || app_.got_subcommand("agent");
  return is_daemon && !context_.tls_flags ? Status{} : CheckWhole(tls_);
}

void AddPlacementFlags(CLI::App& command, PlacementOptions& options, const std::string& moves) {
  const auto set_policy = [&options](const std::string& name) { options.policy = ParsePlacementPolicy(name); };
  command
      .add_option_function<std::string>("--policy", set_policy,
                                        "How to choose among the devices that pass [the cluster's]")
      ->check(OneOf(NamesOf(std::span<const PlacementPolicy>(kPlacementPolicies))))
      ->type_name("POLICY");
  command.add_option(moves, options.max_moves, "Residents that may move to make room [the cluster's]")
      ->check(Within(0, kMaxMovesPerDecision));
}

} // namespace avocet

#include <cstdlib>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/commands_simulate.h"
#include "cli/load_client.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "messages/openssl_exit.h"

namespace avocet {
namespace {

constexpr const char* kTlsHelp = R"(On loopback nothing of this is needed. To go beyond it:
  avocet tls init                                          once, on a machine of an administrator
  avocet tls issue --role controller ctl --host 10.0.0.5   covers 10.0.0.5, ctl and localhost
  avocet tls issue --role agent jetson-1                   one for each node
  avocet tls issue --role admin ann                        for people and scripts that use this program
Each makes a folder with ca.pem, cert.pem and key.pem. Copy it to its machine and name the files in [tls] of
controller.toml or agent.toml; `issue` prints how. This program takes --tls-ca, --tls-cert, --tls-key, or
AVOCET_TLS_CA, AVOCET_TLS_CERT, AVOCET_TLS_KEY, or else, beyond loopback, the only admin's certificate in the folder.
ca.key can make certificates for everything: it stays where it is. Renew with `issue --force`; running processes
take new files by themselves. Replace the authority with `init --rotate`, then issue all anew: until you delete the
second certificate from ca.pem, both are trusted. docs/SECURITY.md says what this protects, and what not.)";

/// Every command's flags and what it runs when it was chosen.
class Program {
public:
  Program()
      : app_("Avocet: inference on shared edge accelerators, admitted only where every latency objective holds.",
             "avocet") {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.footer("Begin with `avocet demo`, or `avocet dev` and the commands below against it.\n"
                "Exit codes: 0 ok, 1 error, 2 rejected, 3 plan has changes, 4 timed out, 5 denied, 64 usage.");
    AddGlobalFlags();
    AddCluster();
    AddModel();
    AddApp();
    AddLoad();
    AddModels();
    AddDaemons();
    AddTls();
    AddSimulate();
    AddCapacity();
    AddLocal();
  }

  int Run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return Explain(error);
    }
    Finish();
    return run_(context_);
  }

private:
  using Runner = std::function<int(const Context&)>;

  /// Help, or what is wrong. What CLI11 calls a missing subcommand may be a misspelt one.
  int Explain(const CLI::ParseError& error) {
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

  CLI::App* Command(CLI::App& parent, const std::string& name, const std::string& help, Runner run) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->fallthrough();
    command->callback([this, run = std::move(run)] { run_ = run; });
    return command;
  }

  CLI::App& Group(const std::string& name, const std::string& help) {
    CLI::App* group = app_.add_subcommand(name, help);
    group->require_subcommand(1);
    group->fallthrough();
    return *group;
  }

  void AddGlobalFlags() {
    app_.add_option("--addr", context_.address, "Address of the controller")
        ->envname("AVOCET_ADDR")
        ->capture_default_str();
    app_.add_option("--tls-ca", tls_.ca, "Certificate of the authority that the controller's must descend from")
        ->envname("AVOCET_TLS_CA");
    app_.add_option("--tls-cert", tls_.certificate, "Own certificate, role admin or client")
        ->envname("AVOCET_TLS_CERT");
    app_.add_option("--tls-key", tls_.key, "Its private key")->envname("AVOCET_TLS_KEY");
    app_.add_option("-o,--output", output_, "table (for people) or json (for programs)")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    app_.add_option("--timeout", timeout_s_, "Seconds to wait for an answer")
        ->check(CLI::Range(0.1, 86400.0))
        ->capture_default_str();
    app_.add_flag("-q,--quiet", context_.quiet, "No progress on stderr");
    app_.add_option("--log-level", log_level_, "error, warn, info or debug (stderr)")
        ->check(CLI::IsMember({"error", "warn", "info", "debug"}))
        ->capture_default_str();
  }

  void AddCluster() {
    CLI::App* version = Command(app_, "version", "Version of the controller (--client: of this program)",
                                [this](const Context& c) { return VersionCommand(c, client_only_); });
    version->add_flag("--client", client_only_, "Ask no controller");
    AddNode();
    Command(Group("device", "Accelerators"), "list", "Devices with discipline, utilization and memory",
            DeviceListCommand);
    CLI::App* rebalance = Command(app_, "rebalance", "Move applications so that more of their kind would fit",
                                  [this](const Context& c) { return RebalanceCommand(c, max_moves_, plan_only_); });
    rebalance->add_flag("--plan", plan_only_, "Only show the moves; exit 3 where there are some");
    rebalance->add_option("--max-moves", max_moves_, "At most so many")
        ->check(CLI::Range(1, kMaxRebalanceMoves))
        ->capture_default_str();
    rebalance->footer("Room: on how many devices one more application like those seen so far would fit, on average.\n"
                      "Every objective holds before, while and after they move; each serves all the while. One move\n"
                      "makes at least 1 % more room, or it is not made.");
    CLI::App* events = Command(app_, "events", "What happened, oldest first",
                               [this](const Context& c) { return EventsCommand(c, after_, follow_); });
    events->add_option("--after", after_, "Only events after this sequence number");
    events->add_flag("-f,--follow", follow_, "Go on with what happens, one line each, until ctrl-c");
  }

  void AddNode() {
    CLI::App& node = Group("node", "Machines");
    Command(node, "list", "Nodes with their health", NodeListCommand);
    CLI::App* doctor =
        Command(node, "doctor", "What this machine has for an agent, what is missing, and how to install it",
                [this](const Context& c) { return NodeDoctorCommand(c, root_); });
    doctor->add_option("--root", root_, "Look at this tree instead, e.g. a mounted disk (libraries: this system's)")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    doctor->footer("Asks no controller, changes nothing, and prints an agent.toml that would work here.\n"
                   "Exit codes: 0 something can serve models, 1 nothing can.");
  }

  void AddModel() {
    CLI::App& model = Group("model", "Models and their profiles");
    CLI::App* import = Command(model, "import", "Upload a model: one file per format",
                               [this](const Context& c) { return ModelImportCommand(c, import_); });
    import->add_option("files", import_.files, ".tflite, .onnx, or .toml (emulated)")
        ->required()
        ->check(CLI::ExistingFile);
    import->add_option("--name", import_.name, "Name of the model [the first file's name]");
    import->add_option("--shape", import_.shapes,
                       "input=1x3x48x192: shape of an .onnx file's input that leaves extents open; repeatable");
    import->add_option("--version", import_.version, "Version: decimal digits")->capture_default_str();
    Command(model, "list", "Models, their files and what was measured of them", ModelListCommand);
    CLI::App* profile = Command(model, "profile", "Measure service time, switch overhead and memory",
                                [this](const Context& c) { return ModelProfileCommand(c, model_, device_); });
    profile->add_option("model", model_, "name or name:version")->required();
    profile->add_option("--device", device_, "node/device [one healthy device of each type]");
  }

  void AddApp() {
    CLI::App& app = Group("app", "Applications: a model, a rate, a latency objective");
    CLI::App* plan = Command(app, "plan", "What apply would decide, for every device, with reasons; changes nothing",
                             [this](const Context& c) { return AppPlanCommand(c, apply_, detailed_exit_code_); });
    plan->add_option("file", apply_.file, "app.toml")->required();
    AddPlacement(*plan, apply_.placement, "--max-moves");
    plan->add_flag("--detailed-exitcode", detailed_exit_code_, "Exit 3 when apply would change something");
    CLI::App* apply = Command(app, "apply", "Admit or change an application, wait until it serves",
                              [this](const Context& c) { return AppApplyCommand(c, apply_); });
    apply->add_option("file", apply_.file, "app.toml")->required();
    AddPlacement(*apply, apply_.placement, "--max-moves");
    apply->add_flag("--wait,!--no-wait", apply_.wait, "Wait until it serves [yes]");
    Command(app, "list", "Applications with predicted and measured latency", AppListCommand);
    AddNamed(app, "status", "One application in detail", AppStatusCommand);
    AddNamed(app, "explain", "The last decision about it: every device, every reason", AppExplainCommand);
    AddNamed(app, "rm", "Drain it and remove it", AppRemoveCommand);
  }

  /// How to choose among the devices that pass, for this command only.
  void AddPlacement(CLI::App& command, PlacementOptions& options, const std::string& moves) {
    std::map<std::string, PlacementPolicy> policies;
    for (const auto policy : kPlacementPolicies)
      policies[std::string(ToString(policy))] = policy;
    command.add_option("--policy", options.policy, "How to choose among the devices that pass [the cluster's]")
        ->transform(CLI::CheckedTransformer(policies).description(""))
        ->type_name("POLICY");
    command.add_option(moves, options.max_moves, "Residents that may move to make room [the cluster's]")
        ->check(CLI::Range(0, kMaxMovesPerDecision));
  }

  void AddNamed(CLI::App& parent, const std::string& name, const std::string& help,
                int (*run)(const Context&, const std::string&)) {
    CLI::App* command = Command(parent, name, help, [this, run](const Context& c) { return run(c, name_); });
    command->add_option("name", name_, "The application's name")->required();
  }

  void AddLoad() {
    CLI::App* load = Command(app_, "load", "Send load to applications and report what clients saw",
                             [this](const Context& c) { return LoadCommand(c, load_); });
    load->add_option("targets", load_.targets,
                     "app (its declared rate) or app=requests_per_second; needed but for --trace");
    load->add_option("--endpoint", load_.endpoint, "host:port of an inference endpoint [of the agent that hosts them]");
    load->add_option("--endpoint-ca", load_.endpoint_ca,
                     "The endpoint speaks TLS: certificate of the authority that its own must descend from")
        ->check(CLI::ExistingFile);
    load->add_option("--protocol", load_.protocol, "grpc, or http (with the binary tensor extension)")
        ->check(CLI::IsMember({"grpc", "http"}))
        ->capture_default_str();
    load->add_option("--duration", load_.duration_s, "Seconds [10, or to the end of the trace]")
        ->check(CLI::PositiveNumber);
    load->add_option("--warm-up", load_.warm_up_s, "Seconds at the beginning that are not measured")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    load->add_option("--arrival", load_.arrival, "poisson, periodic or scv:<number> [the application's]");
    load->add_option("--seed", load_.seed, "Of the arrival times")->capture_default_str();
    auto* trace = load->add_option("--trace", load_.trace,
                                   "Arrivals from a CSV file: arrival_s (seconds), and application unless one is named")
                      ->check(CLI::ExistingFile);
    load->add_option("--concurrency", load_.concurrency,
                     "Closed loop: so many requests of each application in flight, whatever the latency. Finds the "
                     "ceiling")
        ->check(CLI::Range(uint64_t{1}, kMaxLoadConcurrency))
        ->excludes(trace);
    load->add_option("--connections", load_.connections, "grpc: shared by all requests [2]; http: at most [256]")
        ->check(CLI::Range(size_t{1}, kMaxLoadConnections));
    load->add_option("--max-outstanding", load_.max_outstanding,
                     "Unanswered requests of an application; what is due beyond them is dropped and counted")
        ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 20))
        ->capture_default_str();
    load->add_flag("--random", load_.random_inputs, "Random inputs instead of zeros");
    load->footer("Open loop: requests are sent when they are due, whether or not earlier ones were answered, and "
                 "latency counts from\nthat moment, so a server that stalls cannot hide it. Exit code 0: every request "
                 "was answered well; 1: some were not.");
    load->callback([this] {
      if (load_.targets.empty() && load_.trace.empty()) throw CLI::RequiredError("targets (or --trace)");
      run_ = [this](const Context& c) { return LoadCommand(c, load_); };
    });
  }

  void AddModels() {
    CLI::App* predict = Command(app_, "predict", "Response times that the latency models give; asks no controller",
                                [this](const Context& c) { return PredictCommand(c, predict_); });
    predict->add_option("file", predict_.file, "Devices and their applications, TOML or JSON");
    predict->add_option("--cases", predict_.cases, "Instead: queueing cases, JSON");
    predict
        ->add_option("--simulate", predict_.simulated_requests,
                     "Requests to simulate where only an approximation is known; 0: none")
        ->check(CLI::Range(0, 100000000))
        ->capture_default_str();
    predict->add_flag("--pessimistic", predict_.pessimistic,
                      "With rates, service and switch times at their upper 95 % bounds: the file says how often each "
                      "was observed");
    CLI::App* replay = Command(app_, "replay", "Predicted and observed response times of a FIFO device's records",
                               [this](const Context& c) { return ReplayCommand(c, replay_); });
    replay->add_option("trace", replay_.file, "CSV: run, model, nominal_rate_rps, start_s, end_s")->required();
    replay->add_option("--fit", replay_.fit_run, "The run that service times are fitted on [the first]");
  }

  void AddDaemons() {
    CLI::App* controller = Command(app_, "controller", "Decides where applications run; agents and the CLI talk to it",
                                   [this](const Context& c) { return ControllerCommand(c, controller_); });
    controller->add_option("--config", controller_.config, "controller.toml")->check(CLI::ExistingFile);
    controller->add_option("--data-dir", controller_.data_dir, "Where records and models are kept");
    controller->add_option("--listen", controller_.listen, "Control and link; port 0 is any free one [127.0.0.1:7400]");
    CLI::App* agent = Command(app_, "agent", "Serves inference on this machine's devices, as its controller commands",
                              [this](const Context& c) { return AgentCommand(c, agent_); });
    agent->add_option("--config", agent_.config, "agent.toml")->check(CLI::ExistingFile);
    agent->add_option("--name", agent_.name, "Name of the node");
    agent->add_option("--data-dir", agent_.data_dir, "Where the plan and models are kept");
    agent->add_option("--controller", agent_.controller, "Address of the controller [127.0.0.1:7400]");
    agent->add_option("--inference", agent_.inference, "Inference address; port 0 is any free one [127.0.0.1:8001]");
  }

  void AddTls() {
    CLI::App& tls = Group("tls", "Certificates: who may talk to whom beyond one machine");
    tls.footer(kTlsHelp);
    CLI::App* init = Command(tls, "init", "Make a private certificate authority",
                             [this](const Context& c) { return TlsInitCommand(c, tls_command_); });
    AddTlsDirectory(*init);
    init->add_flag("--rotate", tls_command_.rotate, "Replace the authority; what the old one issued stays trusted");
    init->add_flag("--force", tls_command_.force, "Replace the authority; nothing that it issued is trusted any more")
        ->excludes("--rotate");
    CLI::App* issue = Command(tls, "issue", "Make the certificate of one process or person",
                              [this](const Context& c) { return TlsIssueCommand(c, tls_command_); });
    issue->footer(kTlsHelp);
    issue->add_option("name", tls_command_.name, "Name; an agent's must be that of its node")->required();
    issue->add_option("--role", tls_command_.role, "controller, agent, admin (everything) or client (only asks)")
        ->required()
        ->check(CLI::IsMember({"controller", "agent", "admin", "client"}));
    AddTlsDirectory(*issue);
    issue->add_option("--host", tls_command_.hosts, "Name or IP address it is dialled under; may be repeated")
        ->allow_extra_args(false);
    issue->add_option("--days", tls_command_.days, "How long it is valid")->capture_default_str();
    issue->add_flag("--force", tls_command_.force, "Replace the certificate that is there, to renew it");
  }

  void AddTlsDirectory(CLI::App& command) {
    command.add_option("--dir", tls_command_.directory, "Folder of the authority [~/.config/avocet/tls]");
  }

  void AddSimulate() {
    CLI::App* simulate = Command(
        app_, "simulate", "Place an instance's applications one by one, then check every promise request by request",
        [this](const Context& c) { return SimulateCommand(c, simulate_); });
    simulate->add_option("file", simulate_.file, "Nodes and applications, JSON; see tests/data/placement")->required();
    simulate
        ->add_option("--statistic", simulate_.statistic, "mean, p50, p95 or p99: what the objectives are about [p95]")
        ->transform(CLI::CheckedTransformer(std::map<std::string, Statistic>{{"mean", Statistic::kMean},
                                                                             {"p50", Statistic::kP50},
                                                                             {"p95", Statistic::kP95},
                                                                             {"p99", Statistic::kP99}})
                        .description(""))
        ->type_name("STATISTIC");
    AddPlacement(*simulate, simulate_.placement, "--moves,--max-moves");
    simulate->add_option("--seed", simulate_.seed, "Of the simulated requests")->capture_default_str();
    simulate->add_option("--jobs", simulate_.jobs, "Threads; the answer does not depend on them [all processors]")
        ->check(CLI::Range(1, 1024));
    simulate->footer(
        "Prints how many applications were hosted, the clean prefix (those before the first rejection or\n"
        "violation), and each violation: an application whose measured statistic exceeds its objective by\n"
        "more than 3 %, with 95 % confidence, in two runs with different seeds. Runs are at most 30,000\n"
        "simulated seconds; what is open then counts as undecided.");
  }

  void AddCapacity() {
    CLI::App* capacity =
        Command(app_, "capacity", "How many devices do these applications need; or how many more does a cluster take?",
                [this](const Context& c) { return CapacityCommand(c, capacity_); });
    capacity->add_option("file", capacity_, "Devices, models and applications, TOML")->required();
    capacity->footer(
        "deploy/examples/capacity.toml has every key. Without `count` in its devices: the cheapest cluster\n"
        "found that hosts all applications, and a price below which there is none. With `count`: how many of\n"
        "the applications that cluster hosts, and how many more of each fit (one kind at a time).\n"
        "Every cluster is filled with the controller's own decision function. Exit code 2: not possible.");
  }

  void AddLocal() {
    CLI::App* dev = Command(app_, "dev", "A controller and an agent in one process, for laptops and tests",
                            [this](const Context& c) { return DevCommand(c, dev_); });
    dev->add_option("--config", dev_.config, "TOML: the keys of an agent, listen, [policy]")->check(CLI::ExistingFile);
    dev->add_option("--data-dir", dev_.data_dir, "Where records and models are kept");
    dev->add_option("--listen", dev_.listen, "Control address; port 0 is any free one [127.0.0.1:7400]");
    dev->add_option("--inference", dev_.inference,
                    "gRPC inference address [127.0.0.1:8001]; port 0: any free one, also for REST and metrics");
    CLI::App* demo = Command(app_, "demo", "Ninety seconds that show what Avocet does, with real and emulated devices",
                             [this](const Context& c) { return DemoCommand(c, demo_); });
    demo->add_option("--seed", demo_.seed, "Of the arrival times")->capture_default_str();
    demo->add_flag("--keep", demo_.keep, "Go on serving until a signal");
    demo->add_flag("--json", json_, "The same as -o json");
  }

  void Finish() {
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

  CLI::App app_;
  Context context_;
  Runner run_;
  std::string output_ = "table";
  std::string log_level_ = "info";
  double timeout_s_ = 300;
  TlsOptions tls_;
  bool json_ = false;
  bool client_only_ = false;
  bool plan_only_ = false;
  int max_moves_ = 8; ///< of a rebalance
  bool detailed_exit_code_ = false;
  uint64_t after_ = 0;
  bool follow_ = false;
  std::string model_;
  std::string device_;
  std::string name_;
  std::string root_ = "/";
  ModelImportOptions import_;
  AppApplyOptions apply_;
  LoadOptions load_;
  PredictOptions predict_;
  ReplayOptions replay_;
  ControllerCommandOptions controller_;
  AgentCommandOptions agent_;
  TlsCommandOptions tls_command_;
  SimulateOptions simulate_;
  std::filesystem::path capacity_;
  DevOptions dev_;
  DemoOptions demo_;
};

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  // Later builds of ONNX Runtime than the one that we install report to their maker unless told not to,
  // and read this when they are loaded. Set before there are threads; the operator's own value stays.
  setenv("ORT_DISABLE_TELEMETRY", "1", 0); // NOLINT(concurrency-mt-unsafe)
  avocet::SkipOpensslCleanup();
  return avocet::Program().Run(argc, argv);
}

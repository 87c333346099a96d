#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include <fmt/format.h>

#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/endpoint_of.h"
#include "cli/commands/flags.h"
#include "cli/commands/session.h"
#include "cli/load/load_client.h"
#include "cli/load/load_trace.h"
#include "cli/process/signals.h"
#include "cli/render/load_display.h"
#include "cli/render/progress.h"
#include "messages/files.h"

namespace avocet {
namespace {

struct LoadOptions {
  std::vector<std::string>
      targets;          ///< "app" (its declared rate) or "app=rate"; empty with a trace: all its applications
  std::string endpoint; ///< empty: the agent that hosts the applications
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

constexpr double kDefaultSeconds = 10;

struct WantedLoad {
  AppId app;
  std::optional<double> rate_rps;
};

Result<WantedLoad> ParseTarget(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return WantedLoad{AppId(text), std::nullopt};
  const std::string rate = text.substr(equals + 1);
  char* end = nullptr;
  const double value = std::strtod(rate.c_str(), &end);
  if (rate.empty() || *end != '\0')
    return InvalidArgument("'" + text + "': the rate is not a number of requests per second");
  return WantedLoad{AppId(text.substr(0, equals)), value};
}

LoadProtocol ProtocolOf(const LoadOptions& options) {
  return ParseLoadProtocol(options.protocol).value_or(LoadProtocol::kGrpc);
}

/// What the flags, a trace and the controller make of a run. The controller is asked only for what
/// nobody said.
class Preparation {
public:
  Preparation(const Context& context, const LoadOptions& options) : context_(context), options_(options) {}

  Status Prepare() {
    plan_.warm_up = FromSeconds(options_.warm_up_s);
    plan_.seed = options_.seed;
    plan_.concurrency = options_.concurrency;

    for (const auto& text : options_.targets) {
      AVOCET_ASSIGN_OR_RETURN(auto target, ParseTarget(text));
      wanted_.push_back(std::move(target));
    }

    // Refused, not ignored: the user would otherwise believe in a rate that was never sent.
    if (const auto* rated = FirstWithRate(); rated && !draws())
      return InvalidArgument("'" + rated->app.str() + "' has a rate, but a trace or a closed loop sets its own");

    if (!options_.trace.empty()) AVOCET_RETURN_IF_ERROR(ReadTrace());
    if (draws()) AVOCET_RETURN_IF_ERROR(SetTraffic());

    // Without names a closed loop or a trace has whatever targets it brings.
    if (plan_.targets.empty()) {
      for (const auto& one : wanted_)
        plan_.targets.push_back({.app = one.app});
    }
    // A trace brings its own duration; --duration overrides it.
    if (plan_.duration == Duration::zero()) plan_.duration = FromSeconds(kDefaultSeconds);
    if (options_.duration_s > 0) plan_.duration = FromSeconds(options_.duration_s);
    return SetEndpoint();
  }

  const LoadPlan& plan() const { return plan_; }
  const std::string& endpoint() const { return endpoint_; }

private:
  bool draws() const { return options_.trace.empty() && options_.concurrency == 0; }

  const WantedLoad* FirstWithRate() const {
    const auto found = std::find_if(wanted_.begin(), wanted_.end(), [](auto& one) { return one.rate_rps.has_value(); });
    return found == wanted_.end() ? nullptr : &*found;
  }

  Status ReadTrace() {
    AVOCET_ASSIGN_OR_RETURN(const auto text, ReadWholeFile(options_.trace, kMaxLoadTraceBytes));
    auto trace = ParseLoadTrace(text, options_.trace.string());
    if (!trace.ok()) return trace.status();

    // Names on the command line choose among the applications of the trace; none at all means every one.
    std::vector<AppId> chosen;
    for (const auto& one : wanted_)
      chosen.push_back(one.app);
    trace = SelectApps(std::move(*trace), chosen);
    if (!trace.ok()) return trace.status().WithContext(options_.trace.string());

    for (const AppId& app : trace->apps)
      plan_.targets.push_back({.app = app});
    // Just after the last request, because a plan's end excludes what is due at that moment.
    plan_.duration = trace->requests.back().at + Duration(1);
    plan_.trace = std::make_shared<const std::vector<ScheduledRequest>>(std::move(trace->requests));
    return {};
  }

  /// Rate and arrival kind of each application.
  Status SetTraffic() {
    for (const auto& one : wanted_) {
      LoadTarget target{.app = one.app};
      if (!one.rate_rps || options_.endpoint.empty()) {
        AVOCET_ASSIGN_OR_RETURN(const auto known, Known(one.app));
        target = {one.app, known.app.rate_rps, known.app.arrival};
      }
      if (one.rate_rps) target.rate_rps = *one.rate_rps;
      AVOCET_RETURN_IF_ERROR(SetArrival(target));
      plan_.targets.push_back(std::move(target));
    }
    return {};
  }

  Status SetArrival(LoadTarget& target) const {
    if (options_.arrival.empty()) return {};
    const auto parsed = ParseArrival(options_.arrival);
    if (!parsed)
      return InvalidArgument("arrival '" + options_.arrival + "' is none of poisson, periodic, scv:<number>");
    target.arrival = *parsed;
    return {};
  }

  Status SetEndpoint() {
    endpoint_ = options_.endpoint;
    if (!endpoint_.empty()) return {};
    std::vector<AppStatus> known;
    for (const LoadTarget& target : plan_.targets) {
      AVOCET_ASSIGN_OR_RETURN(auto status, Known(target.app));
      known.push_back(std::move(status));
    }
    auto found = EndpointOf(session(), ProtocolOf(options_), known);
    if (found.ok()) endpoint_ = *found;
    return found.status();
  }

  Session& session() {
    if (!session_) session_.emplace(SessionOf(context_));
    return *session_;
  }

  Result<AppStatus> Known(const AppId& app) { return session().Ask(GetApp{app}); }

  const Context& context_;
  const LoadOptions& options_;
  std::optional<Session> session_;
  std::vector<WantedLoad> wanted_;
  LoadPlan plan_{.targets = {}, .duration = {}};
  std::string endpoint_;
};

LoadClientOptions ClientOptions(const LoadOptions& options, const std::string& endpoint) {
  return {.address = endpoint,
          .protocol = ProtocolOf(options),
          .ca = options.endpoint_ca,
          .connections = options.connections,
          .max_outstanding = options.max_outstanding,
          .fill = options.random_inputs ? TensorFill::kRandom : TensorFill::kZeros};
}

/// Ends a run early at ctrl-c, so that what was seen until then is reported. Before the run there is nothing to report.
class Interruption {
public:
  /// Before any thread is started.
  Interruption() {
    HoldSignals();
    watcher_ = std::jthread([this](const std::stop_token& done) {
      if (WaitForSignal([&] { return !done.stop_requested(); }, kPoll) == 0) return;
      came_ = true;
      if (!runs_) std::_Exit(kExitInterrupted);
      stop_.request_stop();
    });
  }

  std::stop_token Begin() {
    runs_ = true;
    return stop_.get_token();
  }
  bool came() const { return came_; }

private:
  static constexpr Duration kPoll = std::chrono::milliseconds(50);
  std::atomic<bool> runs_ = false;
  std::atomic<bool> came_ = false;
  std::stop_source stop_;
  std::jthread watcher_; ///< last: it uses the others
};

int LoadCommand(const Context& context, const LoadOptions& options) {
  Interruption interruption;
  Preparation wanted(context, options);
  if (const Status status = wanted.Prepare(); !status.ok()) return Fail(context, status);

  // Progress goes to stderr, so that stdout holds the report alone.
  LoadDisplay display(std::cerr, {.terminal = isatty(STDERR_FILENO) != 0,
                                  .width = TerminalWidth(STDERR_FILENO),
                                  .height = TerminalHeight(STDERR_FILENO)});
  const auto show = [&](const LoadProgress& progress) {
    if (!context.quiet) display.Update(progress);
  };
  const auto report = RunLoad(wanted.plan(), ClientOptions(options, wanted.endpoint()), show, interruption.Begin());

  if (!report.ok()) return Fail(context, report.status());
  if (!context.quiet) display.Finish();
  std::cout << Render(*report, context.render);
  if (interruption.came()) return kExitInterrupted;
  return report->ok() ? kExitOk : kExitError;
}

/// Where to.
void AddTargetFlags(CLI::App& load, LoadOptions& options) {
  load.add_option("targets", options.targets,
                  "app (its declared rate) or app=requests_per_second; needed but for --trace");
  load.add_option("--endpoint", options.endpoint, "host:port of an inference endpoint [of the agent that hosts them]");
  load.add_option("--endpoint-ca", options.endpoint_ca,
                  "The endpoint speaks TLS: certificate of the authority that its own must descend from");
  load.add_option("--protocol", options.protocol, "grpc, or http (with the binary tensor extension)")
      ->check(OneOf({"grpc", "http"}))
      ->capture_default_str();
}

/// When.
void AddArrivalFlags(CLI::App& load, LoadOptions& options) {
  load.add_option("--duration", options.duration_s, "Seconds [10, or to the end of the trace]")->check(Above(0));
  load.add_option("--warm-up", options.warm_up_s, "Seconds at the beginning that are not measured")
      ->check(NotNegative())
      ->capture_default_str();
  load.add_option("--arrival", options.arrival, "poisson, periodic or scv:<number> [the application's]");
  load.add_option("--seed", options.seed, "Of the arrival times")->capture_default_str();
  load.add_option("--trace", options.trace,
                  "Arrivals from a CSV file: arrival_s (seconds), and application unless one is named");
}

/// How, and how much at once.
void AddClientFlags(CLI::App& load, LoadOptions& options) {
  load.add_option("--concurrency", options.concurrency,
                  "Closed loop: so many requests of each application in flight, whatever the latency. Finds the "
                  "ceiling")
      ->check(Within(1, kMaxLoadConcurrency))
      ->excludes("--trace");
  load.add_option("--connections", options.connections, "grpc: shared by all requests [2]; http: at most [256]")
      ->check(Within(1, kMaxLoadConnections));
  load.add_option("--max-outstanding", options.max_outstanding,
                  "Unanswered requests of an application; what is due beyond them is dropped and counted")
      ->check(Within(1, 1 << 20))
      ->capture_default_str();
  load.add_flag("--random", options.random_inputs, "Random inputs instead of zeros");
}

} // namespace

void AddLoadCommand(CommandLine& line) {
  auto options = std::make_shared<LoadOptions>();
  CLI::App& load = line.Add("load", "Send load to applications and report what clients saw",
                            [options](const Context& c) { return LoadCommand(c, *options); });
  AddTargetFlags(load, *options);
  AddArrivalFlags(load, *options);
  AddClientFlags(load, *options);
  load.footer("Open loop: requests are sent when they are due, whether or not earlier ones were answered, and "
              "latency counts from\nthat moment, so a server that stalls cannot hide it. Exit code 0: every request "
              "was answered well; 1: some were not.");
  load.parse_complete_callback([options] {
    if (options->targets.empty() && options->trace.empty()) throw CLI::RequiredError("targets (or --trace)");
  });
}

} // namespace avocet

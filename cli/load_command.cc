#include <unistd.h>

#include <set>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/load_client.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace avocet {
namespace {

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

/// Fills in what was not said from what the controller knows of the application.
Result<LoadTarget> Complete(const WantedLoad& wanted, const AppStatus* known, const std::string& arrival) {
  LoadTarget target{.app = wanted.app};
  if (known != nullptr) target = {wanted.app, known->app.rate_rps, known->app.arrival};
  if (wanted.rate_rps) target.rate_rps = *wanted.rate_rps;
  if (arrival.empty()) return target;
  const auto parsed = ParseArrival(arrival);
  if (!parsed) return InvalidArgument("arrival '" + arrival + "' is none of poisson, periodic, scv:<number>");
  target.arrival = *parsed;
  return target;
}

/// Where all of the applications are served.
Result<std::string> FindEndpoint(Session& session, const std::vector<AppStatus>& apps) {
  auto nodes = session.Ask(ListNodes{});
  if (!nodes.ok()) return nodes.status();
  std::set<std::string> endpoints;
  for (const auto& app : apps) {
    for (const auto& node : nodes->nodes) {
      if (app.placement && app.placement->device.str().starts_with(node.info.id.str() + "/"))
        endpoints.insert(node.info.grpc_address);
    }
  }
  if (endpoints.size() == 1) return *endpoints.begin();
  if (endpoints.empty()) return NotFound("none of the applications is placed; `avocet app list` shows them");
  return InvalidArgument("the applications are on several nodes; choose one with --endpoint");
}

struct Wanted {
  LoadPlan plan;
  std::string endpoint;
};

Result<Wanted> Prepare(const Context& context, const LoadOptions& options) {
  Wanted wanted{.plan = {.targets = {},
                         .duration = FromSeconds(options.duration_s),
                         .warm_up = FromSeconds(options.warm_up_s),
                         .seed = options.seed},
                .endpoint = options.endpoint};
  std::optional<Session> session;
  std::vector<AppStatus> known;
  for (const auto& text : options.targets) {
    auto target = ParseTarget(text);
    if (!target.ok()) return target.status();
    const AppStatus* app = nullptr;
    if (!target->rate_rps || options.endpoint.empty()) {
      if (!session) session.emplace(SessionOptions{context.address, context.timeout});
      auto status = session->Ask(GetApp{target->app});
      if (!status.ok()) return status.status();
      known.push_back(std::move(*status));
      app = &known.back();
    }
    auto complete = Complete(*target, app, options.arrival);
    if (!complete.ok()) return complete.status();
    wanted.plan.targets.push_back(*complete);
  }
  if (!wanted.endpoint.empty()) return wanted;
  auto endpoint = FindEndpoint(*session, known);
  if (!endpoint.ok()) return endpoint.status();
  wanted.endpoint = *endpoint;
  return wanted;
}

std::string Counts(const LoadProgress& progress) {
  uint64_t ok = 0;
  uint64_t failed = 0;
  for (const auto& app : progress.apps) {
    ok += app.ok;
    failed += app.failed + app.dropped;
  }
  return std::to_string(ok) + " ok, " + std::to_string(failed) + " failed";
}

} // namespace

int LoadCommand(const Context& context, const LoadOptions& options) {
  auto wanted = Prepare(context, options);
  if (!wanted.ok()) return Fail(context, wanted.status());
  ProgressBar bar(std::cerr, "load", {.terminal = isatty(STDERR_FILENO) != 0, .width = TerminalWidth(STDERR_FILENO)});
  auto report = RunLoad(wanted->plan, {.address = wanted->endpoint}, [&](const LoadProgress& progress) {
    if (!context.quiet) bar.Update(ToSeconds(progress.elapsed) / ToSeconds(progress.planned), Counts(progress));
  });
  if (!report.ok()) return Fail(context, report.status());
  if (!context.quiet) bar.Finish("done");
  std::cout << Render(*report, context.render);
  return report->ok() ? kExitOk : kExitError;
}

} // namespace avocet

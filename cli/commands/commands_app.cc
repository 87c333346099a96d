#include <memory>
#include <stop_token>
#include <thread>

#include <nlohmann/json.hpp>

#include "actors/wire/control_client.h"
#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/session.h"
#include "cli/commands/wait_ready.h"
#include "cli/config/config_files.h"
#include "cli/text/visible.h"

namespace avocet {
namespace {

struct AppApplyOptions {
  std::filesystem::path file;
  PlacementOptions placement;
  bool wait = true;         ///< until the application serves
  bool all_devices = false; ///< in the table
};

Result<Application> ReadApplication(const std::filesystem::path& file) {
  AVOCET_ASSIGN_OR_RETURN(auto text, ReadConfigFile(file));
  return ParseApplicationFile(text, file.string());
}

int ExitCodeOf(const Decision& decision) {
  return decision.kind == DecisionKind::kReject ? kExitRejected : kExitOk;
}

/// Shows on stderr what the controller records about an application and its model, as long as it lives.
class EventWatch {
public:
  EventWatch(const Context& context, Session& session, const Application& app) {
    auto past = session.Ask(ListEvents{});
    if (context.quiet || !past.ok()) return; // whoever asks next says why
    const uint64_t after = past->events.empty() ? 0 : past->events.back().sequence;
    thread_ = std::jthread([options = SessionOf(context), after, app](const std::stop_token& stop) {
      (void)WatchEvents(
          {options.address, options.deadline, options.tls}, after, [&](const Event& event) { Show(app, event); }, stop);
    });
  }

private:
  static void Show(const Application& app, const Event& event) {
    const bool of_model = event.subject == app.model || event.subject.starts_with(app.model + ":");
    if (of_model || event.subject == app.name.str())
      std::cerr << Visible(event.kind + " " + event.subject + ": " + event.detail) + "\n";
  }
  std::jthread thread_;
};

/// The application as it is; empty where there is none.
Result<std::optional<AppStatus>> StatusNow(Session& session, const AppId& app) {
  auto now = session.Ask(GetApp{app});
  if (now.ok()) return std::optional(*std::move(now));
  if (now.status().code() == StatusCode::kNotFound) return std::optional<AppStatus>();
  return now.status();
}

int AppPlanCommand(const Context& context, const AppApplyOptions& options, bool detailed_exit_code) {
  auto app = ReadApplication(options.file);
  if (!app.ok()) return Fail(context, app.status());
  Session session(SessionOf(context));
  auto before = StatusNow(session, app->name);
  if (!before.ok()) return Fail(context, before.status());
  auto decision = session.Ask(PlanApp{std::move(*app), options.placement});
  if (!decision.ok()) return Fail(context, decision.status());

  const DecisionView view{.before = *std::move(before), .all_devices = options.all_devices};
  std::cout << Render(*decision, view, context.render);
  const bool tells_changes = detailed_exit_code && decision->kind != DecisionKind::kReject;
  return tells_changes && ChangesAnything(*decision, view) ? kExitChanges : ExitCodeOf(*decision);
}

int AppApplyCommand(const Context& context, const AppApplyOptions& options) {
  auto app = ReadApplication(options.file);
  if (!app.ok()) return Fail(context, app.status());
  // Copied here, because the request below takes the application.
  const AppId name = app->name;
  Session session(SessionOf(context));
  auto before = StatusNow(session, name);
  if (!before.ok()) return Fail(context, before.status());

  if (!context.quiet) std::cerr << "deciding; a model without a profile is measured first\n";

  // Watches from before the request, so that no event of the measurement is missed.
  const EventWatch watch(context, session, *app);
  auto decision = session.Ask(ApplyApp{std::move(*app), options.placement});
  if (!decision.ok()) return Fail(context, decision.status());

  const DecisionView view{.before = *std::move(before), .all_devices = options.all_devices};
  // Flushed before the wait: whoever reads a pipe sees the decision at once.
  std::cout << Render(*decision, view, context.render) << std::flush;
  if (decision->kind == DecisionKind::kReject || !options.wait) return ExitCodeOf(*decision);
  if (!context.quiet && ChangesAnything(*decision, view))
    std::cerr << "loading on " << Visible(decision->device->str()) << '\n';

  if (auto status = WaitUntilReady(session, name, context.timeout); !status.ok()) {
    std::cerr << Render(status, {}); // the decision already stands on stdout
    return ExitCodeOf(status);
  }
  if (!context.quiet) std::cerr << "ready\n";
  return kExitOk;
}

int AppListCommand(const Context& context) {
  Session session(SessionOf(context));
  return Show(context, session.Ask(ListApps{}), &AppList::apps);
}

int AppStatusCommand(const Context& context, const std::string& app) {
  Session session(SessionOf(context));
  return Show(context, session.Ask(GetApp{AppId(app)}));
}

int AppExplainCommand(const Context& context, const std::string& app, bool all_devices) {
  Session session(SessionOf(context));
  const auto decision = session.Ask(ExplainApp{AppId(app)});
  if (!decision.ok()) return Fail(context, decision.status());
  std::cout << Render(*decision, {.before = {}, .all_devices = all_devices}, context.render);
  return kExitOk;
}

int AppRemoveCommand(const Context& context, const std::string& app) {
  Session session(SessionOf(context));
  auto removed = session.Ask(RemoveApp{AppId(app)});
  if (!removed.ok()) return Fail(context, removed.status());
  if (context.render.format == OutputFormat::kJson)
    std::cout << nlohmann::ordered_json{{"v", 1}, {"removed", app}} << '\n';
  else
    std::cout << "removed " << Visible(app) << '\n';
  return kExitOk;
}

void AddAllFlag(CLI::App& command, bool& all_devices) {
  command.add_flag("-v,--all", all_devices, "Show every device, not the nearest few");
}

void AddPlan(CommandLine& line, CLI::App& app) {
  auto options = std::make_shared<AppApplyOptions>();
  auto detailed = std::make_shared<bool>(false);
  CLI::App& plan = line.Add(app, "plan", "What apply would decide, for every device, with reasons; changes nothing",
                            [=](const Context& c) { return AppPlanCommand(c, *options, *detailed); });
  plan.add_option("file", options->file, "app.toml")->required();
  AddPlacementFlags(plan, options->placement);
  AddAllFlag(plan, options->all_devices);
  plan.add_flag("--detailed-exitcode", *detailed, "Exit 3 when apply would change something");
}

void AddApply(CommandLine& line, CLI::App& app) {
  auto options = std::make_shared<AppApplyOptions>();
  CLI::App& apply = line.Add(app, "apply", "Admit or change an application, wait until it serves",
                             [options](const Context& c) { return AppApplyCommand(c, *options); });
  apply.add_option("file", options->file, "app.toml")->required();
  AddPlacementFlags(apply, options->placement);
  AddAllFlag(apply, options->all_devices);
  apply.add_flag("--wait,!--no-wait", options->wait, "Wait until it serves [yes]");
}

void AddNamed(CommandLine& line, CLI::App& parent, const std::string& name, const std::string& help,
              int (*run)(const Context&, const std::string&)) {
  auto app = std::make_shared<std::string>();
  line.Add(parent, name, help, [run, app](const Context& c) { return run(c, *app); })
      .add_option("name", *app, "The application's name")
      ->required();
}

void AddExplain(CommandLine& line, CLI::App& parent) {
  auto app = std::make_shared<std::string>();
  auto all_devices = std::make_shared<bool>(false);
  CLI::App& explain = line.Add(parent, "explain", "The last decision about it: every device, every reason",
                               [=](const Context& c) { return AppExplainCommand(c, *app, *all_devices); });
  explain.add_option("name", *app, "The application's name")->required();
  AddAllFlag(explain, *all_devices);
}

} // namespace

void AddAppCommands(CommandLine& line) {
  CLI::App& app = line.Group("app", "Applications: a model, a rate, a latency objective");
  AddPlan(line, app);
  AddApply(line, app);
  line.Add(app, "list", "Applications with predicted latency and that measured in the last 5 minutes", AppListCommand);
  AddNamed(line, app, "status",
           "One application in detail: predicted, and measured in the last 1, 5, 60 minutes and in all",
           AppStatusCommand);
  AddExplain(line, app);
  AddNamed(line, app, "rm", "Drain it and remove it", AppRemoveCommand);
}

} // namespace avocet

#include <memory>
#include <stop_token>
#include <thread>

#include "actors/wire/control_client.h"
#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/session.h"
#include "cli/commands/wait_ready.h"
#include "cli/config/config_files.h"

namespace avocet {
namespace {

struct AppApplyOptions {
  std::filesystem::path file;
  PlacementOptions placement;
  bool wait = true; ///< until the application serves
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
      std::cerr << event.kind + " " + event.subject + ": " + event.detail + "\n";
  }
  std::jthread thread_;
};

/// Whether applying the plan would change anything.
Result<bool> HasChanges(Session& session, const Decision& decision) {
  auto now = session.Ask(GetApp{decision.app.name});
  if (!now.ok() && now.status().code() == StatusCode::kNotFound) return true;
  if (!now.ok()) return now.status();
  return now->app != decision.app || !now->placement || now->placement->device != decision.device;
}

int AppPlanCommand(const Context& context, const AppApplyOptions& options, bool detailed_exit_code) {
  auto app = ReadApplication(options.file);
  if (!app.ok()) return Fail(context, app.status());
  Session session(SessionOf(context));
  auto decision = session.Ask(PlanApp{std::move(*app), options.placement});
  if (!decision.ok()) return Fail(context, decision.status());
  std::cout << Render(*decision, context.render);
  if (!detailed_exit_code || decision->kind == DecisionKind::kReject) return ExitCodeOf(*decision);
  auto changes = HasChanges(session, *decision);
  if (!changes.ok()) return Fail(context, changes.status());
  return *changes ? kExitChanges : kExitOk;
}

int AppApplyCommand(const Context& context, const AppApplyOptions& options) {
  auto app = ReadApplication(options.file);
  if (!app.ok()) return Fail(context, app.status());
  // Copied here, because the request below takes the application.
  const AppId name = app->name;
  Session session(SessionOf(context));
  if (!context.quiet) std::cerr << "deciding; a model without a profile is measured first\n";

  // Watches from before the request, so that no event of the measurement is missed.
  const EventWatch watch(context, session, *app);
  auto decision = session.Ask(ApplyApp{std::move(*app), options.placement});
  if (!decision.ok()) return Fail(context, decision.status());

  // Flushed before the wait: whoever reads a pipe sees the decision at once.
  std::cout << Render(*decision, context.render) << std::flush;
  if (decision->kind == DecisionKind::kReject || !options.wait) return ExitCodeOf(*decision);
  if (!context.quiet) std::cerr << "loading on " << decision->device->str() << '\n';

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

int AppExplainCommand(const Context& context, const std::string& app) {
  Session session(SessionOf(context));
  return Show(context, session.Ask(ExplainApp{AppId(app)}));
}

int AppRemoveCommand(const Context& context, const std::string& app) {
  Session session(SessionOf(context));
  auto removed = session.Ask(RemoveApp{AppId(app)});
  if (!removed.ok()) return Fail(context, removed.status());
  if (context.render.format == OutputFormat::kJson)
    std::cout << "{\"v\":1,\"removed\":\"" << app << "\"}\n";
  else
    std::cout << "removed " << app << '\n';
  return kExitOk;
}

void AddPlan(CommandLine& line, CLI::App& app) {
  auto options = std::make_shared<AppApplyOptions>();
  auto detailed = std::make_shared<bool>(false);
  CLI::App& plan = line.Add(app, "plan", "What apply would decide, for every device, with reasons; changes nothing",
                            [=](const Context& c) { return AppPlanCommand(c, *options, *detailed); });
  plan.add_option("file", options->file, "app.toml")->required();
  AddPlacementFlags(plan, options->placement);
  plan.add_flag("--detailed-exitcode", *detailed, "Exit 3 when apply would change something");
}

void AddApply(CommandLine& line, CLI::App& app) {
  auto options = std::make_shared<AppApplyOptions>();
  CLI::App& apply = line.Add(app, "apply", "Admit or change an application, wait until it serves",
                             [options](const Context& c) { return AppApplyCommand(c, *options); });
  apply.add_option("file", options->file, "app.toml")->required();
  AddPlacementFlags(apply, options->placement);
  apply.add_flag("--wait,!--no-wait", options->wait, "Wait until it serves [yes]");
}

void AddNamed(CommandLine& line, CLI::App& parent, const std::string& name, const std::string& help,
              int (*run)(const Context&, const std::string&)) {
  auto app = std::make_shared<std::string>();
  line.Add(parent, name, help, [run, app](const Context& c) { return run(c, *app); })
      .add_option("name", *app, "The application's name")
      ->required();
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
  AddNamed(line, app, "explain", "The last decision about it: every device, every reason", AppExplainCommand);
  AddNamed(line, app, "rm", "Drain it and remove it", AppRemoveCommand);
}

} // namespace avocet

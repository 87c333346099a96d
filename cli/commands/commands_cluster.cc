#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "actors/wire/control_client.h"
#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/flags.h"
#include "cli/commands/session.h"
#include "cli/commands/wait_ready.h"
#include "cli/process/signals.h"
#include "cli/text/visible.h"

namespace avocet {
namespace {

struct RebalanceOptions {
  int max_moves = 8;
  bool plan_only = false; ///< exit 3 where there are moves to make; otherwise makes them and waits until all serve
};

struct EventsOptions {
  std::optional<uint64_t> after_sequence;
  bool follow = false; ///< goes on with what happens, until a signal
};

int VersionCommand(const Context& context, bool client_only) {
  if (client_only) {
    std::cout << Render(VersionInfo{.version = AVOCET_VERSION, .role = kClientRole}, context.render);
    return kExitOk;
  }
  Session session(SessionOf(context));
  return Show(context, session.Ask(GetVersion{}));
}

int NodeListCommand(const Context& context) {
  Session session(SessionOf(context));
  return Show(context, session.Ask(ListNodes{}), &NodeList::nodes);
}

int NodeAdoptCommand(const Context& context, const std::string& node) {
  Session session(SessionOf(context));
  auto adopted = session.Ask(AdoptNode{NodeId(node)});
  if (!adopted.ok()) return Fail(context, adopted.status());
  if (context.render.format == OutputFormat::kJson)
    std::cout << "{\"v\":1,\"adopted\":\"" << node << "\"}\n";
  else
    std::cout << "adopted " << node << "; it registers within seconds\n";
  return kExitOk;
}

int DeviceListCommand(const Context& context) {
  Session session(SessionOf(context));
  return Show(context, session.Ask(ListDevices{}), &DeviceList::devices);
}

int RebalanceCommand(const Context& context, const RebalanceOptions& options) {
  Session session(SessionOf(context));
  auto plan = session.Ask(Rebalance{options.max_moves, !options.plan_only});
  if (!plan.ok()) return Fail(context, plan.status());

  // Flushed before the wait: whoever reads a pipe sees the plan at once.
  std::cout << Render(*plan, context.render) << std::flush;
  if (options.plan_only) return plan->moves.empty() ? kExitOk : kExitChanges;

  // Each move has the whole timeout, so that a long plan does not fail for its length alone.
  for (const auto& one : plan->moves) {
    if (!context.quiet) std::cerr << Visible("loading " + one.move.app.str() + " on " + one.move.to.str()) << '\n';
    if (auto status = WaitUntilReady(session, one.move.app, context.timeout); !status.ok()) {
      std::cerr << Render(status, {}); // the plan already stands on stdout
      return ExitCodeOf(status);
    }
  }
  return kExitOk;
}

constexpr size_t kRecentEvents = 10; ///< before those that are followed

/// The event before the recent ones.
Result<uint64_t> BeforeRecent(const Context& context) {
  Session session(SessionOf(context));
  AVOCET_ASSIGN_OR_RETURN(const auto list, session.Ask(ListEvents{}));
  const auto& events = list.events;
  return events.size() > kRecentEvents ? events[events.size() - kRecentEvents - 1].sequence : 0;
}

/// Prints events as they come, until a signal or the end of the connection.
int FollowEvents(const Context& context, uint64_t after_sequence) {
  HoldSignals();
  std::stop_source stop;
  std::jthread watcher([&stop](const std::stop_token& done) {
    if (WaitForSignal([&] { return !done.stop_requested(); }, std::chrono::milliseconds(100)) != 0) stop.request_stop();
  });
  const auto options = SessionOf(context);
  const Status status = WatchEvents(
      {options.address, options.deadline, options.tls}, after_sequence,
      [&](const Event& event) { std::cout << RenderLine(event, context.render) << std::flush; }, stop.get_token());
  return stop.stop_requested() ? kExitOk : Fail(context, status);
}

int EventsCommand(const Context& context, const EventsOptions& options) {
  if (options.follow) {
    const auto after = options.after_sequence ? Result<uint64_t>(*options.after_sequence) : BeforeRecent(context);
    return after.ok() ? FollowEvents(context, *after) : Fail(context, after.status());
  }

  Session session(SessionOf(context));
  auto list = session.Ask(ListEvents{options.after_sequence.value_or(0)});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->events, context.render);
  return kExitOk;
}

} // namespace

void AddVersionCommand(CommandLine& line) {
  auto client_only = std::make_shared<bool>(false);
  line.Add("version", "Version of the controller (--client: of this program)",
           [client_only](const Context& c) { return VersionCommand(c, *client_only); })
      .add_flag("--client", *client_only, "Ask no controller");
}

void AddNodeCommands(CommandLine& line) {
  CLI::App& node = line.Group("node", "Machines");
  line.Add(node, "list", "Nodes with their health", NodeListCommand);

  auto name = std::make_shared<std::string>();
  CLI::App& adopt = line.Add(node, "adopt", "Let in an agent that belongs to another cluster",
                             [name](const Context& c) { return NodeAdoptCommand(c, *name); });
  adopt.add_option("name", *name, "The node's name")->required();
  adopt.footer("An agent belongs to the cluster of the controller that it registered with first: the one of that\n"
               "data_dir. Another one (an empty folder, a wrong one) refuses it and stops nothing. Once adopted,\n"
               "what it runs and this controller has no record of is left running: `avocet app apply` takes it\n"
               "over, `avocet app rm` stops it. What is recorded here under the same name replaces it.");

  AddDoctorCommand(line, node);
}

void AddDeviceCommands(CommandLine& line) {
  line.Add(line.Group("device", "Accelerators"), "list", "Devices with discipline, utilization and memory",
           DeviceListCommand);
}

void AddRebalanceCommand(CommandLine& line) {
  auto options = std::make_shared<RebalanceOptions>();
  CLI::App& rebalance = line.Add("rebalance", "Move applications so that more of their kind would fit",
                                 [options](const Context& c) { return RebalanceCommand(c, *options); });
  rebalance.add_flag("--plan", options->plan_only, "Only show the moves; exit 3 where there are some");
  rebalance.add_option("--max-moves", options->max_moves, "At most so many")
      ->check(Within(1, kMaxRebalanceMoves))
      ->capture_default_str();
  rebalance.footer("Room: on how many devices one more application like those seen so far would fit, on average.\n"
                   "Every objective holds before, while and after they move; each serves all the while. One move\n"
                   "makes at least 1 % more room, or it is not made.");
}

void AddEventsCommand(CommandLine& line) {
  auto options = std::make_shared<EventsOptions>();
  CLI::App& events = line.Add("events", "What happened, oldest first",
                              [options](const Context& c) { return EventsCommand(c, *options); });
  events.add_option("--after", options->after_sequence, "Only events after this sequence number");
  events.add_flag("-f,--follow", options->follow,
                  "The last ten, or those --after says; then what happens, one line each, until ctrl-c");
}

} // namespace avocet

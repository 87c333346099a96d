#include <stop_token>
#include <thread>

#include "actors/control_client.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/wait_ready.h"

namespace avocet {

int VersionCommand(const Context& context, bool client_only) {
  if (client_only) {
    std::cout << Render(VersionInfo{.version = AVOCET_VERSION, .role = "client"}, context.render);
    return kExitOk;
  }
  Session session(SessionOf(context));
  return Show(context, session.Ask(GetVersion{}));
}

int NodeListCommand(const Context& context) {
  Session session(SessionOf(context));
  auto list = session.Ask(ListNodes{});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->nodes, context.render);
  return kExitOk;
}

int DeviceListCommand(const Context& context) {
  Session session(SessionOf(context));
  auto list = session.Ask(ListDevices{});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->devices, context.render);
  return kExitOk;
}

int RebalanceCommand(const Context& context, int max_moves, bool plan_only) {
  Session session(SessionOf(context));
  auto plan = session.Ask(Rebalance{max_moves, !plan_only});
  if (!plan.ok()) return Fail(context, plan.status());
  std::cout << Render(*plan, context.render) << std::flush; // before the wait
  if (plan_only) return plan->moves.empty() ? kExitOk : kExitChanges;
  for (const auto& one : plan->moves) {
    if (!context.quiet) std::cerr << "loading " << one.move.app.str() << " on " << one.move.to.str() << '\n';
    if (auto status = WaitUntilReady(session, one.move.app, context.timeout); !status.ok()) {
      std::cerr << Render(status, {}); // the plan already stands on stdout
      return ExitCodeOf(status);
    }
  }
  return kExitOk;
}

namespace {

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

} // namespace

int EventsCommand(const Context& context, uint64_t after_sequence, bool follow) {
  if (follow) return FollowEvents(context, after_sequence);
  Session session(SessionOf(context));
  auto list = session.Ask(ListEvents{after_sequence});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->events, context.render);
  return kExitOk;
}

} // namespace avocet

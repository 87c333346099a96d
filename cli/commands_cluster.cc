#include "cli/commands.h"
#include "cli/session.h"

namespace avocet {

int VersionCommand(const Context& context, bool client_only) {
  if (client_only) {
    std::cout << Render(VersionInfo{.version = AVOCET_VERSION, .role = "client"}, context.render);
    return kExitOk;
  }
  Session session({context.address, context.timeout});
  return Show(context, session.Ask(GetVersion{}));
}

int NodeListCommand(const Context& context) {
  Session session({context.address, context.timeout});
  auto list = session.Ask(ListNodes{});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->nodes, context.render);
  return kExitOk;
}

int DeviceListCommand(const Context& context) {
  Session session({context.address, context.timeout});
  auto list = session.Ask(ListDevices{});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->devices, context.render);
  return kExitOk;
}

int EventsCommand(const Context& context, uint64_t after_sequence) {
  Session session({context.address, context.timeout});
  auto list = session.Ask(ListEvents{after_sequence});
  if (!list.ok()) return Fail(context, list.status());
  std::cout << Render(list->events, context.render);
  return kExitOk;
}

} // namespace avocet

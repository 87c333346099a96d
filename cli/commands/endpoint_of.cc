#include "cli/commands/endpoint_of.h"

#include <set>

#include <fmt/format.h>

#include "cli/render/format.h"

namespace avocet {
namespace {

std::string NodeOf(const DeviceId& device) {
  return device.str().substr(0, device.str().find('/'));
}

/// " since 2026-01-02T03:04:05Z", as the latest event of its kind says; empty when that was long ago.
std::string AwaySince(Session& session, const std::string& node) {
  const auto events = session.Ask(ListEvents{});
  if (!events.ok()) return "";
  std::string since;
  for (const Event& event : events->events)
    if (event.kind == "node_away" && event.subject == node) since = " since " + FormatTime(event.at);
  return since;
}

Status CheckServes(Session& session, const AppStatus& app) {
  if (!app.placement) return {};
  const std::string name = "application '" + app.app.name.str() + "'", node = NodeOf(app.placement->device);
  switch (app.placement->phase) {
  case PlacementPhase::kLost:
    return Unavailable(fmt::format("{} is lost: its node '{}' is away{}; start the agent there, or name another "
                                   "endpoint with --endpoint",
                                   name, node, AwaySince(session, node)));
  case PlacementPhase::kFailed:
    return Unavailable(
        fmt::format("{} failed on {}: {}; apply it again", name, app.placement->device.str(), app.placement->reason));
  case PlacementPhase::kStarting:
  case PlacementPhase::kReady:
    return {};
  }
  return {};
}

} // namespace

Result<std::string> EndpointOf(Session& session, LoadProtocol protocol, const std::vector<AppStatus>& apps) {
  AVOCET_ASSIGN_OR_RETURN(auto nodes, session.Ask(ListNodes{}));
  std::set<std::string> endpoints;
  for (const auto& app : apps) {
    AVOCET_RETURN_IF_ERROR(CheckServes(session, app));
    for (const auto& node : nodes.nodes) {
      if (app.placement && NodeOf(app.placement->device) == node.info.id.str())
        endpoints.insert(protocol == LoadProtocol::kHttp ? node.info.rest_address : node.info.grpc_address);
    }
  }

  // An agent reports the empty address for an endpoint that is switched off.
  if (endpoints.contains(""))
    return NotFound(fmt::format("a node serves no {}; name the endpoint with --endpoint", ToString(protocol)));

  if (endpoints.size() == 1) return *endpoints.begin();
  if (endpoints.empty()) return NotFound("none of the applications is placed; `avocet app list` shows them");
  return InvalidArgument("the applications are on several nodes; choose one with --endpoint");
}

} // namespace avocet

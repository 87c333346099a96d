#pragma once

#include <string>
#include <vector>

#include "cli/load/load_report.h"
#include "messages/command.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/rebalance.h"
#include "messages/reports.h"
#include "messages/status.h"

namespace avocet {

enum class OutputFormat { kTable, kJson };

struct RenderOptions {
  OutputFormat format = OutputFormat::kTable;
  bool color = false; ///< tables only; see UseColor
};

/// VersionInfo::role of the program itself: it has no uptime and no view.
inline constexpr const char* kClientRole = "client";

// What a command prints on stdout, ending in a newline. Tables are for people and may change; JSON
// objects carry "v":1 and only gain keys. "emulated" is shown wherever a number comes from an
// emulated device.

std::string Render(const std::vector<NodeStatus>& nodes, const RenderOptions& options);
std::string Render(const std::vector<DeviceStatus>& devices, const RenderOptions& options);
std::string Render(const std::vector<ModelStatus>& models, const RenderOptions& options);
std::string Render(const Model& model, const RenderOptions& options);
std::string Render(const std::vector<Profile>& profiles, const RenderOptions& options);
std::string Render(const std::vector<AppStatus>& apps, const RenderOptions& options);
std::string Render(const AppStatus& app, const RenderOptions& options);
std::string Render(const std::vector<Event>& events, const RenderOptions& options);
/// One event as one line, for a stream of them; JSON lines are objects of their own.
std::string RenderLine(const Event& event, const RenderOptions& options);
std::string Render(const VersionInfo& version, const RenderOptions& options);
std::string Render(const LoadReport& report, const RenderOptions& options);

/// What was there when a decision was made, and how much of it is shown.
struct DecisionView {
  std::optional<AppStatus> before; ///< the application as it was; empty: there was none, or nobody asked
  bool all_devices = false;        ///< every device in the table, not the nearest few
};
/// Whether carrying out the decision changes anything.
bool ChangesAnything(const Decision& decision, const DecisionView& view);

/// A decision with its reasons: what `app plan`, `app apply` and `app explain` print. Of many devices the text shows
/// the chosen one, those that came nearest, and how many there are besides; JSON has all.
std::string Render(const Decision& decision, const DecisionView& view, const RenderOptions& options);
inline std::string Render(const Decision& decision, const RenderOptions& options) {
  return Render(decision, {}, options);
}

/// What `rebalance` moves, or would move.
std::string Render(const RebalancePlan& plan, const RenderOptions& options);

/// An error: "error: text" for stderr, or an object for stdout.
std::string Render(const Status& error, const RenderOptions& options);

/// How many times the declared rate clients sent in the last minute, answered or refused; empty up to half as much
/// again, and where it may be chance.
std::optional<double> OverDeclared(const AppStatus& app);

/// Whether the statistic of the objective, as measured in the last five minutes, is within it after the network
/// allowance; empty where nothing was measured in them.
std::optional<bool> ObjectiveMet(const AppStatus& app);

} // namespace avocet

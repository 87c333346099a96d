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

/// A decision with its reasons: what `app plan`, `app apply` and `app explain` print.
std::string Render(const Decision& decision, const RenderOptions& options);

/// What `rebalance` moves, or would move.
std::string Render(const RebalancePlan& plan, const RenderOptions& options);

/// An error: "error: text" for stderr, or an object for stdout.
std::string Render(const Status& error, const RenderOptions& options);

/// Whether the statistic of the objective, as measured in the last five minutes, is within it after the network
/// allowance; empty where nothing was measured in them.
std::optional<bool> ObjectiveMet(const AppStatus& app);

} // namespace avocet

#include "cli/render/render.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "cli/render/format.h"
#include "cli/render/render_json.h"
#include "cli/render/render_measured.h"
#include "cli/render/render_text.h"
#include "cli/text/visible.h"

namespace avocet {
namespace {

constexpr int kIndent = 2;

template <class T> std::string RenderAs(const T& value, const RenderOptions& options) {
  // Foreign texts (file names, engine errors) need not be UTF-8; JSON must be.
  if (options.format == OutputFormat::kJson)
    return ToJson(value).dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return ToText(value, options.color);
}

} // namespace

std::string Render(const std::vector<NodeStatus>& nodes, const RenderOptions& options) {
  return RenderAs(nodes, options);
}
std::string Render(const std::vector<DeviceStatus>& devices, const RenderOptions& options) {
  return RenderAs(devices, options);
}
std::string Render(const std::vector<ModelStatus>& models, const RenderOptions& options) {
  return RenderAs(models, options);
}
std::string Render(const Model& model, const RenderOptions& options) {
  return RenderAs(model, options);
}
std::string Render(const std::vector<Profile>& profiles, const RenderOptions& options) {
  return RenderAs(profiles, options);
}
std::string Render(const std::vector<AppStatus>& apps, const RenderOptions& options) {
  return RenderAs(apps, options);
}
std::string Render(const AppStatus& app, const RenderOptions& options) {
  return RenderAs(app, options);
}
std::string Render(const std::vector<Event>& events, const RenderOptions& options) {
  return RenderAs(events, options);
}
std::string RenderLine(const Event& event, const RenderOptions& options) {
  if (options.format == OutputFormat::kJson) return ToJson(event).dump() + "\n";
  return Visible(FormatTime(event.at) + "  " + event.kind + "  " + event.subject + "  " + event.detail) + "\n";
}
std::string Render(const VersionInfo& version, const RenderOptions& options) {
  return RenderAs(version, options);
}
std::string Render(const LoadReport& report, const RenderOptions& options) {
  return RenderAs(report, options);
}
bool ChangesAnything(const Decision& decision, const DecisionView& view) {
  if (decision.kind == DecisionKind::kReject) return false;
  if (!view.before || !view.before->placement || !decision.moves.empty()) return true;
  const Placement& now = *view.before->placement;
  const bool runs = now.phase == PlacementPhase::kReady || now.phase == PlacementPhase::kStarting;
  return !runs || view.before->app != decision.app || now.device != decision.device || now.model != decision.model;
}
std::string Render(const Decision& decision, const DecisionView& view, const RenderOptions& options) {
  if (options.format == OutputFormat::kTable) return ToText(decision, view, options.color);
  auto json = ToJson(decision);
  json["changes"] = ChangesAnything(decision, view);
  const auto* placed = view.before && view.before->placement ? &*view.before->placement : nullptr;
  json["loaded_model"] = placed != nullptr ? nlohmann::ordered_json(placed->model.str()) : nlohmann::ordered_json();
  return json.dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}
std::string Render(const RebalancePlan& plan, const RenderOptions& options) {
  return RenderAs(plan, options);
}
std::string Render(const Status& error, const RenderOptions& options) {
  return RenderAs(error, options);
}

std::optional<Duration> MeasuredStatistic(const AppTotals& totals, Statistic statistic) {
  // Without responses the mean would be 0, and read as an objective that is met.
  if (totals.response.count == 0) return std::nullopt;

  switch (statistic) {
  case Statistic::kMean:
    return FromSeconds(totals.response.mean());
  case Statistic::kP50:
    return totals.response_sketch.Quantile(0.50);
  case Statistic::kP95:
    return totals.response_sketch.Quantile(0.95);
  case Statistic::kP99:
    return totals.response_sketch.Quantile(0.99);
  }

  return std::nullopt;
}

std::optional<double> OverDeclared(const AppStatus& app) {
  constexpr double kFactor = 1.5;
  constexpr double kDeviations = 3; // of a Poisson count
  const AppTotals& minute = app.recent.minute;
  const double sent = static_cast<double>(minute.arrivals + minute.refusals);
  const double declared = app.app.rate_rps * ToSeconds(minute.measured);
  if (declared <= 0 || sent <= kFactor * declared + kDeviations * std::sqrt(declared)) return std::nullopt;
  return sent / declared;
}

std::optional<bool> ObjectiveMet(const AppStatus& app) {
  const auto measured = MeasuredStatistic(app.recent.five_minutes, app.app.objective.statistic);
  if (!measured) return std::nullopt;
  return *measured <= app.app.objective.latency - app.app.network_allowance;
}

} // namespace avocet

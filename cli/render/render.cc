#include "cli/render/render.h"

#include <nlohmann/json.hpp>

#include "cli/render/format.h"
#include "cli/render/render_json.h"
#include "cli/render/render_text.h"

namespace avocet {
namespace {

constexpr int kIndent = 2;

template <class T> std::string RenderAs(const T& value, const RenderOptions& options) {
  // Foreign texts (file names, engine errors) need not be UTF-8; JSON must be.
  if (options.format == OutputFormat::kJson)
    return ToJson(value).dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return ToText(value, options.color);
}

std::optional<double> Measured(const AppTotals& totals, Statistic statistic) {
  // Without responses the mean would be 0, and read as an objective that is met.
  if (totals.response.count == 0) return std::nullopt;
  const auto quantile = [&](double p) -> std::optional<double> {
    const auto value = totals.response_sketch.Quantile(p);
    return value ? std::optional(ToSeconds(*value)) : std::nullopt;
  };

  switch (statistic) {
  case Statistic::kMean:
    return totals.response.mean();
  case Statistic::kP50:
    return quantile(0.50);
  case Statistic::kP95:
    return quantile(0.95);
  case Statistic::kP99:
    return quantile(0.99);
  }

  return std::nullopt;
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
  return FormatTime(event.at) + "  " + event.kind + "  " + event.subject + "  " + event.detail + "\n";
}
std::string Render(const VersionInfo& version, const RenderOptions& options) {
  return RenderAs(version, options);
}
std::string Render(const LoadReport& report, const RenderOptions& options) {
  return RenderAs(report, options);
}
std::string Render(const Decision& decision, const RenderOptions& options) {
  return RenderAs(decision, options);
}
std::string Render(const RebalancePlan& plan, const RenderOptions& options) {
  return RenderAs(plan, options);
}
std::string Render(const Status& error, const RenderOptions& options) {
  return RenderAs(error, options);
}

std::optional<bool> ObjectiveMet(const AppStatus& app) {
  const auto measured = Measured(app.recent.five_minutes, app.app.objective.statistic);
  if (!measured) return std::nullopt;
  return *measured <= ToSeconds(app.app.objective.latency - app.app.network_allowance);
}

} // namespace avocet

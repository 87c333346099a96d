#include <array>
#include <string_view>

#include <fmt/format.h>

#include "cli/config/config_files.h"
#include "cli/config/config_parts.h"
#include "messages/suggest.h"

namespace avocet {
namespace {

constexpr std::array kStatistics{Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99};
constexpr std::array kDeviceKinds{DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu};
constexpr std::array kRateSources{RateSource::kMeasured, RateSource::kDeclaredOrMeasured};

void ReadArrival(ConfigTable& root, Arrival& out) {
  std::string text = ToString(out);
  root.String("arrival", text);
  if (auto arrival = ParseArrival(text)) {
    out = *arrival;
    return;
  }
  constexpr std::array<std::string_view, 3> kNames{"poisson", "periodic", "scv:1.0"};
  const auto nearest = Nearest(text, kNames);
  root.Problem("arrival",
               fmt::format("'{}' is not valid; use poisson, periodic or scv:<number from 0 to {}>{}", text,
                           kMaxArrivalScv, nearest ? fmt::format("; did you mean '{}'?", *nearest) : std::string()));
}

void ReadObjective(ConfigTable& root, Objective& out) {
  ConfigTable objective = root.Table("objective", Need::kRequired, "{ statistic = \"p95\", latency_ms = 50.0 }");
  objective.Choice("statistic", kStatistics, out.statistic, Need::kRequired);
  objective.Millis("latency_ms", out.latency, Need::kRequired);
}

} // namespace

Application ReadApplication(ConfigTable& root) {
  Application app;
  std::string name;
  root.String("name", name, Need::kRequired);
  app.name = AppId(name);
  root.String("model", app.model, Need::kRequired);

  // A key that is absent leaves the default of Application.
  root.String("tenant", app.tenant);
  root.Integer("priority", app.priority);
  root.Number("rate_rps", app.rate_rps, Need::kRequired);
  root.Choice("rate", kRateSources, app.rate_source);
  ReadArrival(root, app.arrival);
  ReadObjective(root, app.objective);
  root.Millis("network_allowance_ms", app.network_allowance);
  root.Millis("preprocess_ms", app.preprocess);
  root.Table("placement").Choices("device_kinds", kDeviceKinds, app.device_kinds);
  return app;
}

Result<Application> ParseApplicationFile(std::string_view text, const std::string& filename) {
  AVOCET_ASSIGN_OR_RETURN(auto tree, ParseToml(text, filename));
  ConfigFile file(std::move(tree), filename);
  ConfigTable root = file.root();
  Application app = ReadApplication(root);
  AVOCET_RETURN_IF_ERROR(file.Finish());
  AVOCET_RETURN_IF_ERROR(file.Locate(Validate(app)));
  return app;
}

} // namespace avocet

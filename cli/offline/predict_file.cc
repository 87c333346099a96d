#include "cli/offline/predict_file.h"

#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "cli/config/config_reader.h"
#include "cli/config/json_reader.h"
#include "cli/render/format.h"

namespace avocet {
namespace {

constexpr std::array kDisciplines{Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing,
                                  Discipline::kMultiServer};
constexpr std::array kStatistics{Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99};

// What the models were tested for; beyond it lies a slip of the unit.
constexpr double kLeastRate = 1e-6, kMostRate = 1e6;           // rps
constexpr double kLeastServiceMs = 1e-3, kMostServiceMs = 1e5; // 1 us .. 100 s
constexpr double kMostScv = 100;
constexpr double kLeastProbability = 1e-6;
constexpr double kProbabilitySlack = 1e-3; // three decimals are enough
constexpr int kMostCores = 1024;
constexpr double kMostObservations = 1e12;

struct Range {
  double least, most;
};

/// A number in a range; NaN when absent, so that the caller can supply a default.
void ReadNumber(ConfigTable& table, std::string_view key, Range range, Need need, double& out) {
  table.Number(key, out, need);
  if (!table.Has(key) || (out >= range.least && out <= range.most)) return;
  table.Problem(
      key, fmt::format("{} is out of range; use {} to {}", out, FormatNumber(range.least), FormatNumber(range.most)));
}

std::optional<ResponseGoal> ReadGoal(ConfigTable& app) {
  ConfigTable table = app.Table("objective");
  ResponseGoal goal;
  double limit_ms = 1;
  table.Choice("statistic", kStatistics, goal.statistic, Need::kRequired);
  ReadNumber(table, "latency_ms", {kLeastServiceMs, 3.6e6}, Need::kRequired, limit_ms);
  goal.limit_s = limit_ms / 1e3;
  return table.present() ? std::optional(goal) : std::nullopt;
}

ServicePart ReadServicePart(ConfigTable& table) {
  ServicePart part;
  double mean_ms = 1;
  ReadNumber(table, "probability", {kLeastProbability, 1}, Need::kRequired, part.probability);
  ReadNumber(table, "mean_ms", {kLeastServiceMs, kMostServiceMs}, Need::kRequired, mean_ms);
  ReadNumber(table, "scv", {0, kMostScv}, Need::kOptional, part.scv);
  part.mean_s = mean_ms / 1e3;
  return part;
}

/// Reports what is wrong with the parts as a whole. `parts` must not be empty.
void CheckServiceParts(ConfigTable& app, const std::vector<ServicePart>& parts) {
  double sum = 0;
  for (const auto& part : parts)
    sum += part.probability;

  // Written with three decimals, the probabilities of a mixture need not sum to 1 exactly.
  if (std::abs(sum - 1) > kProbabilitySlack)
    app.Problem("service_parts", fmt::format("the probabilities sum to {}; make it 1", sum));
  if (parts.size() > kMaxServiceParts)
    app.Problem("service_parts", fmt::format("there are {}; use at most {}", parts.size(), kMaxServiceParts));

  // Both at once could contradict each other, and one of them would be ignored.
  for (const auto* key : {"service_ms", "scv"}) {
    if (app.Has(key)) app.Problem(key, "service_parts say it already; leave one of them out");
  }
}

/// service_ms and scv, or the parts of a mixture.
ServiceTime ReadService(ConfigTable& app) {
  auto tables = app.Tables("service_parts");
  double mean_ms = 1;
  ServiceTime service;
  ReadNumber(app, "service_ms", {kLeastServiceMs, kMostServiceMs}, tables.empty() ? Need::kRequired : Need::kOptional,
             mean_ms);
  ReadNumber(app, "scv", {0, kMostScv}, Need::kOptional, service.scv);
  service.mean_s = mean_ms / 1e3;
  if (tables.empty()) return service;

  std::vector<ServicePart> parts;
  for (auto& table : tables)
    parts.push_back(ReadServicePart(table));
  CheckServiceParts(app, parts);
  return ServiceMixture(std::move(parts));
}

AppLoad ReadApp(ConfigTable& table) {
  AppLoad app;
  std::string name, model;
  double switch_ms = 0, switch_error_ms = 0, tail_ms = 0;
  // A valid rate, so that a missing one is reported once and not as out of range, too.
  app.rate_rps = 1;
  table.String("name", name, Need::kRequired);
  table.String("model", model);
  ReadNumber(table, "rate_rps", {kLeastRate, kMostRate}, Need::kRequired, app.rate_rps);
  app.service = ReadService(table);
  ReadNumber(table, "arrival_scv", {0, kMostScv}, Need::kOptional, app.arrival_scv);
  ReadNumber(table, "switch_ms", {0, kMostServiceMs}, Need::kOptional, switch_ms);
  ReadNumber(table, "tail_ms", {0, kMostServiceMs}, Need::kOptional, tail_ms);
  ReadNumber(table, "rate_observations", {0, kMostObservations}, Need::kOptional, app.rate_observations);
  ReadNumber(table, "service_observations", {0, kMostObservations}, Need::kOptional, app.service.observations);
  ReadNumber(table, "switch_error_ms", {0, kMostServiceMs}, Need::kOptional, switch_error_ms);

  app.app = AppId(name);
  // Without a name the model is the application's own: a switch costs only between models.
  app.model = MakeModelId(model.empty() ? "of " + name : model, "1");
  app.switch_s = switch_ms / 1e3;
  app.switch_error_s = switch_error_ms / 1e3;
  app.tail_s = tail_ms / 1e3;
  return app;
}

void ReadApps(ConfigTable& table, PredictDevice& device) {
  std::set<AppId> names;
  for (auto& entry : table.Tables("app")) {
    device.load.apps.push_back(ReadApp(entry));
    device.goals.push_back(ReadGoal(entry));
    if (!names.insert(device.load.apps.back().app).second)
      entry.Problem("name", "another application of the device has the same name; names are distinct");
  }
  if (device.load.apps.empty()) table.Problem("app", "there is none; add a [[device.app]]");
  if (device.load.apps.size() > kMaxPredictApps)
    table.Problem("app", fmt::format("there are {}; use at most {}", device.load.apps.size(), kMaxPredictApps));
}

PredictDevice ReadDevice(ConfigTable table, size_t number) {
  PredictDevice device{.name = fmt::format("device{}", number), .load = {}, .goals = {}};
  table.String("name", device.name);
  table.Choice("discipline", kDisciplines, device.load.discipline, Need::kRequired);
  table.Integer("cores", device.load.cores);
  if (device.load.cores < 1 || device.load.cores > kMostCores)
    table.Problem("cores", fmt::format("{} is out of range; use 1 to {}", device.load.cores, kMostCores));
  ReadApps(table, device);
  return device;
}

bool BeginsAsJson(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

} // namespace

Result<std::vector<PredictDevice>> ParsePredictFile(std::string_view text, const std::string& filename) {
  AVOCET_ASSIGN_OR_RETURN(auto tree, BeginsAsJson(text) ? ParseJson(text, filename) : ParseToml(text, filename));
  ConfigFile file(std::move(tree), filename);
  ConfigTable root = file.root();
  std::vector<PredictDevice> devices;
  for (auto& entry : root.Tables("device"))
    devices.push_back(ReadDevice(entry, devices.size() + 1));
  if (devices.empty()) root.Problem("device", "there is none; add a [[device]]");
  if (devices.size() > kMaxPredictDevices)
    root.Problem("device", fmt::format("there are {}; use at most {}", devices.size(), kMaxPredictDevices));
  AVOCET_RETURN_IF_ERROR(file.Finish());
  return devices;
}

} // namespace avocet

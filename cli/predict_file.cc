#include "cli/predict_file.h"

#include <array>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/config_reader.h"
#include "cli/format.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kDisciplines{Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing,
                                  Discipline::kMultiServer};
constexpr std::array kStatistics{Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99};

// What the models were tested for; beyond it lies a slip of the unit.
constexpr double kLeastRate = 1e-6, kMostRate = 1e6;           // rps
constexpr double kLeastServiceMs = 1e-3, kMostServiceMs = 1e5; // 1 us .. 100 s
constexpr double kMostScv = 100;
constexpr int kMostCores = 1024;
constexpr int kMaxDepth = 16;

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

AppLoad ReadApp(ConfigTable table) {
  AppLoad app;
  std::string name, model;
  double service_ms = 1, switch_ms = 0;
  app.rate_rps = 1;
  table.String("name", name, Need::kRequired);
  table.String("model", model);
  ReadNumber(table, "rate_rps", {kLeastRate, kMostRate}, Need::kRequired, app.rate_rps);
  ReadNumber(table, "service_ms", {kLeastServiceMs, kMostServiceMs}, Need::kRequired, service_ms);
  ReadNumber(table, "scv", {0, kMostScv}, Need::kOptional, app.service.scv);
  ReadNumber(table, "arrival_scv", {0, kMostScv}, Need::kOptional, app.arrival_scv);
  ReadNumber(table, "switch_ms", {0, kMostServiceMs}, Need::kOptional, switch_ms);
  app.app = AppId(name);
  app.model = MakeModelId(model.empty() ? "of " + name : model, "1");
  app.service.mean_s = service_ms / 1e3;
  app.switch_s = switch_ms / 1e3;
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

Result<TomlNode> NodeOf(const Json& json, const std::string& filename, int depth) {
  if (depth > kMaxDepth)
    return InvalidArgument(fmt::format("{}: nested too deeply; use devices, applications", filename));
  TomlNode node;
  if (json.is_boolean()) {
    node.kind = TomlNode::Kind::kBool;
    node.boolean = json.get<bool>();
  } else if (json.is_number_integer()) {
    node.kind = TomlNode::Kind::kInteger;
    node.integer = json.get<int64_t>();
    node.number = json.get<double>();
  } else if (json.is_number()) {
    node.kind = TomlNode::Kind::kFloat;
    node.number = json.get<double>();
  } else if (json.is_string()) {
    node.kind = TomlNode::Kind::kString;
    node.text = json.get<std::string>();
  } else if (json.is_null()) {
    return InvalidArgument(fmt::format("{}: null is no value; leave the key out", filename));
  }
  if (json.is_array()) node.kind = TomlNode::Kind::kArray;
  for (const auto& item : json.items()) {
    if (!json.is_structured()) break;
    auto child = NodeOf(item.value(), filename, depth + 1);
    if (!child.ok()) return child.status();
    if (json.is_array())
      node.items.push_back(std::move(*child));
    else
      node.entries.push_back({item.key(), {}, std::move(*child)});
  }
  return node;
}

Result<TomlNode> ParseJson(std::string_view text, const std::string& filename) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded())
    return InvalidArgument(fmt::format("{}: not valid JSON; a JSON file begins with a brace", filename));
  return NodeOf(json, filename, 0);
}

bool LooksLikeJson(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

} // namespace

Result<std::vector<PredictDevice>> ParsePredictFile(std::string_view text, const std::string& filename) {
  auto tree = LooksLikeJson(text) ? ParseJson(text, filename) : ParseToml(text, filename);
  if (!tree.ok()) return tree.status();
  ConfigFile file(std::move(*tree), filename);
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

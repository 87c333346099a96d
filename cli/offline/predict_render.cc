#include "cli/offline/predict_render.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/render/format.h"
#include "cli/render/table.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;
using Cases = std::vector<std::pair<std::string, CaseAnswer>>;

Json OrNull(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

Json AppJson(const PredictedApp& app) {
  Json json{{"name", app.name}};
  const auto millis = [&](double AppPrediction::*member) {
    return app.times ? Json((*app.times).*member * 1e3) : Json();
  };
  json["mean_ms"] = millis(&AppPrediction::mean_s);
  json["p50_ms"] = millis(&AppPrediction::p50_s);
  json["p95_ms"] = millis(&AppPrediction::p95_s);
  json["p99_ms"] = millis(&AppPrediction::p99_s);
  json["objective_met"] = app.objective_met ? Json(*app.objective_met) : Json();
  json["p_within_objective"] = OrNull(app.within_objective);
  return json;
}

std::string DevicesJson(const std::vector<PredictedDevice>& devices) {
  Json list = Json::array();
  for (const auto& device : devices) {
    Json apps = Json::array();
    for (const auto& app : device.apps)
      apps.push_back(AppJson(app));

    // The factor is null where no application has an objective.
    list.push_back({{"name", device.name},
                    {"discipline", ToString(device.discipline)},
                    {"utilization", device.utilization},
                    {"stable", device.stable},
                    {"method", device.method},
                    {"apps", std::move(apps)},
                    {"max_rate_factor", OrNull(device.max_rate_factor)}});
  }
  return Json{{"v", 1}, {"devices", std::move(list)}}.dump(2) + "\n";
}

std::string Number(const std::optional<double>& value, double scale) {
  return value ? FormatNumber(*value * scale) : "-";
}

std::string GoalText(const PredictedApp& app) {
  if (!app.goal) return "-";
  return fmt::format("{} <= {} ms", ToString(app.goal->statistic), FormatNumber(app.goal->limit_s * 1e3));
}

Cell MetCell(const PredictedApp& app) {
  if (!app.objective_met) return "-";
  return *app.objective_met ? Cell("yes", Tone::kGood) : Cell("no", Tone::kBad);
}

void AddApp(const PredictedApp& app, TextTable& table) {
  const auto time = [&](double AppPrediction::*member) {
    return app.times ? FormatNumber((*app.times).*member * 1e3) : std::string("-");
  };
  table.Add({app.name, time(&AppPrediction::mean_s), time(&AppPrediction::p50_s), time(&AppPrediction::p95_s),
             time(&AppPrediction::p99_s), GoalText(app), MetCell(app), Number(app.within_objective, 1)});
}

std::string DeviceText(const PredictedDevice& device, bool color) {
  std::string text =
      fmt::format("{}: {}, utilization {}{}, {}\n", Paint(device.name, Tone::kBold, color), ToString(device.discipline),
                  FormatPercent(device.utilization),
                  device.stable ? "" : Paint(", no steady state: lower the rates", Tone::kBad, color), device.method);

  TextTable table({{"APPLICATION"},
                   {"MEAN ms", Align::kRight},
                   {"P50", Align::kRight},
                   {"P95", Align::kRight},
                   {"P99", Align::kRight},
                   {"OBJECTIVE"},
                   {"MET"},
                   {"P(WITHIN)", Align::kRight}});
  for (const auto& app : device.apps)
    AddApp(app, table);
  text += table.Render(color);

  // Rounded down: a factor rounded up would break an objective.
  if (device.max_rate_factor)
    text += fmt::format("all objectives hold up to {} x these rates\n",
                        FormatNumber(FloorTo3Digits(*device.max_rate_factor)));
  return text;
}

Json ListJson(const std::vector<std::optional<double>>& values) {
  Json list = Json::array();
  for (const auto& value : values)
    list.push_back(OrNull(value));
  return list;
}

std::string CasesJson(const Cases& cases) {
  Json list = Json::array();
  for (const auto& [id, answer] : cases) {
    // Null stands for what the case has no model for.
    list.push_back({{"id", id},
                    {"stable", answer.stable},
                    {"outputs",
                     {{"rho", answer.rho},
                      {"stable", answer.stable},
                      {"mean_s", ListJson(answer.mean_s)},
                      {"p50_s", ListJson(answer.p50_s)},
                      {"p95_s", ListJson(answer.p95_s)},
                      {"p99_s", ListJson(answer.p99_s)},
                      {"method", answer.method}}}});
  }

  return Json{{"v", 1}, {"cases", std::move(list)}}.dump(2) + "\n";
}

std::string CasesText(const Cases& cases, bool color) {
  TextTable table({{"CASE"},
                   {"RHO", Align::kRight},
                   {"CLASS", Align::kRight},
                   {"MEAN ms", Align::kRight},
                   {"P50", Align::kRight},
                   {"P95", Align::kRight},
                   {"P99", Align::kRight},
                   {"METHOD"}});

  // One row for each class: columns for each would not fit a terminal.
  for (const auto& [id, answer] : cases) {
    for (size_t i = 0; i < answer.mean_s.size(); ++i) {
      table.Add({id, FormatNumber(answer.rho), std::to_string(i), Number(answer.mean_s[i], 1e3),
                 Number(answer.p50_s[i], 1e3), Number(answer.p95_s[i], 1e3), Number(answer.p99_s[i], 1e3),
                 answer.method});
    }
  }
  return table.Render(color);
}

} // namespace

std::string Render(const std::vector<PredictedDevice>& devices, const RenderOptions& options) {
  if (options.format == OutputFormat::kJson) return DevicesJson(devices);
  std::string text;
  for (const auto& device : devices)
    text += (text.empty() ? "" : "\n") + DeviceText(device, options.color);
  return text;
}

std::string Render(const Cases& cases, const RenderOptions& options) {
  return options.format == OutputFormat::kJson ? CasesJson(cases) : CasesText(cases, options.color);
}

} // namespace avocet

#include "cli/offline/replay_render.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/render/format.h"
#include "cli/render/table.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;

Json Scaled(const std::optional<double>& value, double scale) {
  return value ? Json(*value * scale) : Json();
}

Json MillisJson(const TraceTimes& times) {
  return {{"mean_ms", Scaled(times.mean_s, 1e3)},
          {"p95_ms", Scaled(times.p95_s, 1e3)},
          {"p99_ms", Scaled(times.p99_s, 1e3)}};
}

Json ErrorsJson(const TraceErrors& errors) {
  return {{"mean_err", Scaled(errors.mean, 1)}, {"p95_err", Scaled(errors.p95, 1)}, {"p99_err", Scaled(errors.p99, 1)}};
}

Json RowJson(const TraceRow& row) {
  return {{"run", row.run},
          {"model", row.model},
          {"requests", row.requests},
          {"fitted", row.fitted},
          {"observed", MillisJson(row.observed)},
          {"trace_driven", MillisJson(row.trace_driven)},
          {"analytic", MillisJson(row.analytic)},
          {"paper", {{"mean_ms", Scaled(row.paper.mean_s, 1e3)}}}};
}

Json ModelJson(const TraceModel& model) {
  return {{"model", model.name},
          {"service_ms", model.service_s * 1e3},
          {"service_scv", model.service_scv},
          {"switch_ms", model.switch_s * 1e3},
          {"tail_ms", model.tail_s * 1e3}};
}

std::string ReportJson(const TraceReport& report) {
  Json runs = Json::array(), models = Json::array();
  for (const auto& row : report.rows)
    runs.push_back(RowJson(row));
  for (const auto& model : report.models)
    models.push_back(ModelJson(model));

  // The paper's model predicts means alone, so percentiles have no errors to sum up.
  const Json totals{{"trace_driven", ErrorsJson(report.trace_driven)},
                    {"analytic", ErrorsJson(report.analytic)},
                    {"paper", {{"mean_err", Scaled(report.paper.mean, 1)}}},
                    {"noise_floor", ErrorsJson(report.noise_floor)}};

  return Json{{"v", 1},
              {"fit", {{"run", report.fitted_run}, {"models", std::move(models)}}},
              {"runs", std::move(runs)},
              {"totals", totals}}
             .dump(2) +
         "\n";
}

std::string Millis(const std::optional<double>& seconds) {
  return seconds ? FormatNumber(*seconds * 1e3) : "-";
}

std::string ErrorText(const std::optional<double>& error) {
  return error ? fmt::format("{:.1f} %", *error * 100) : "-";
}

std::string Signed(const std::optional<double>& predicted, const std::optional<double>& observed) {
  if (!predicted || !observed || *observed <= 0) return "-";
  return fmt::format("{:+.1f} %", (*predicted / *observed - 1) * 100);
}

std::string FitText(const TraceReport& report, bool color) {
  TextTable table({{"MODEL"}, {"SERVICE ms", Align::kRight}, {"SWITCH ms", Align::kRight}, {"TAIL ms", Align::kRight}});
  for (const auto& model : report.models)
    table.Add({model.name, Millis(model.service_s), Millis(model.switch_s), Millis(model.tail_s)});
  return fmt::format("Fitted on run {}\n{}", report.fitted_run, table.Render(color));
}

std::string RowsText(const TraceReport& report, bool color) {
  TextTable table({{"RUN"},
                   {"MODEL", Align::kLeft, Fit::kElide},
                   {"REQUESTS", Align::kRight},
                   {"STAT"},
                   {"OBSERVED", Align::kRight},
                   {"TRACE", Align::kRight},
                   {"ERROR", Align::kRight},
                   {"ANALYTIC", Align::kRight},
                   {"ERROR", Align::kRight},
                   {"PAPER", Align::kRight},
                   {"ERROR", Align::kRight}});

  // One row for each statistic, as the columns already fill a terminal.
  const auto add = [&](const TraceRow& row, const char* statistic, std::optional<double> TraceTimes::*member) {
    const auto& observed = row.observed.*member;
    table.Add({row.run + (row.fitted ? "*" : ""), row.model, std::to_string(row.requests), statistic, Millis(observed),
               Millis(row.trace_driven.*member), Signed(row.trace_driven.*member, observed),
               Millis(row.analytic.*member), Signed(row.analytic.*member, observed), Millis(row.paper.*member),
               Signed(row.paper.*member, observed)});
  };

  for (const auto& row : report.rows) {
    add(row, "mean", &TraceTimes::mean_s);
    add(row, "p95", &TraceTimes::p95_s);
    add(row, "p99", &TraceTimes::p99_s);
  }
  return table.Render(color) +
         "Times in ms. TRACE: driven by the recorded arrivals; the others know nominal rates. * fitted\n";
}

std::string TotalsText(const TraceReport& report, bool color) {
  TextTable table({{"AVERAGE ERROR"}, {"MEAN", Align::kRight}, {"P95", Align::kRight}, {"P99", Align::kRight}});
  const auto add = [&](const char* name, const TraceErrors& errors) {
    table.Add({name, ErrorText(errors.mean), ErrorText(errors.p95), ErrorText(errors.p99)});
  };
  add("trace-driven", report.trace_driven);
  add("analytic, nominal rates", report.analytic);
  add("paper, nominal rates", report.paper);
  add("noise floor: a perfect model, nominal rates", report.noise_floor);
  return table.Render(color);
}

} // namespace

std::string Render(const TraceReport& report, const RenderOptions& options) {
  if (options.format == OutputFormat::kJson) return ReportJson(report);
  return FitText(report, options.color) + "\n" + RowsText(report, options.color) + "\n" +
         TotalsText(report, options.color);
}

} // namespace avocet

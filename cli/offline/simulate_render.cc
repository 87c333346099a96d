#include "cli/offline/simulate_render.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/render/format.h"
#include "cli/render/table.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;
using Findings = std::vector<SimulateReport::Finding>;

template <class T> Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json FindingsJson(const Findings& findings) {
  Json list = Json::array();
  for (const auto& [finding, node] : findings) {
    list.push_back({{"app", finding.app.str()},
                    {"node", node.str()},
                    {"ratio", finding.ratio},
                    {"ci_low", finding.interval.low},
                    {"ci_high", OrNull(finding.interval.high)},
                    {"simulated_s", finding.simulated_s}});
  }
  return list;
}

template <class Map> Json MapJson(const Map& map) {
  Json json = Json::object();
  for (const auto& [key, value] : map) {
    if constexpr (std::is_same_v<std::decay_t<decltype(key)>, std::string>)
      json[key] = value;
    else
      json[key.str()] = value;
  }
  return json;
}

std::string ReportJson(const SimulateTitle& title, const SimulateReport& report) {
  return Json{{"v", 1},
              {"instance", title.instance},
              {"policy", title.policy},
              {"statistic", ToString(title.statistic)},
              {"seed", title.seed},
              {"offered", report.offered},
              {"clean_prefix", report.clean_prefix},
              {"first_rejection", OrNull(report.first_rejection)},
              {"first_violation", OrNull(report.first_violation)},
              {"hosted", report.hosted},
              {"rejected", MapJson(report.rejected)},
              {"violations", FindingsJson(report.violations)},
              {"undecided", FindingsJson(report.undecided)},
              {"worst_ratio", report.worst_ratio},
              {"moves", report.moves},
              {"utilization", MapJson(report.utilization)},
              // Timing is apart from the rest, as the only part in which two equal runs differ.
              {"timing",
               {{"decisions_per_s", report.timing.decisions_per_s},
                {"decision_p50_us", report.timing.decision_p50_us},
                {"decision_p99_us", report.timing.decision_p99_us},
                {"wall_s", report.timing.wall_s}}}}
             .dump(2) +
         "\n";
}

std::string RejectedText(const SimulateReport& report) {
  std::string text;
  for (const auto& [reason, count] : report.rejected)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", reason, count);
  return text.empty() ? "none" : text;
}

std::string FindingsText(const char* title, const Findings& findings, bool color) {
  if (findings.empty()) return fmt::format("{}: none\n", title);
  TextTable table({{"APPLICATION"},
                   {"NODE"},
                   {"MEASURED / OBJECTIVE", Align::kRight},
                   {"95 % INTERVAL", Align::kRight},
                   {"SIMULATED s", Align::kRight}});

  for (const auto& [finding, node] : findings) {
    const auto& [low, high] = finding.interval;
    // Too few batches give no upper bound.
    table.Add({finding.app.str(), node.str(), fmt::format("{:.3f}", finding.ratio),
               fmt::format("{:.3f} .. {}", low, high ? fmt::format("{:.3f}", *high) : "?"),
               FormatNumber(finding.simulated_s)});
  }
  return fmt::format("{}: {}\n{}", title, findings.size(), table.Render(color));
}

std::string ReportText(const SimulateTitle& title, const SimulateReport& report, bool color) {
  // Devices count alike, whatever their speed.
  double sum = 0;
  for (const auto& [device, utilization] : report.utilization)
    sum += utilization;
  const auto& timing = report.timing;

  return fmt::format("{}: {} of {} applications hosted, the first {} without a rejection or violation\n",
                     Paint(title.instance, Tone::kBold, color), report.hosted, report.offered, report.clean_prefix) +
         fmt::format("policy {}, {} objectives, {} moves, mean utilization {}\n", title.policy,
                     ToString(title.statistic), report.moves,
                     FormatPercent(sum / static_cast<double>(report.utilization.size()))) +
         fmt::format("rejected: {}\n", RejectedText(report)) + FindingsText("violations", report.violations, color) +
         FindingsText("undecided", report.undecided, color) +
         fmt::format("worst measured / objective {:.3f}; a decision took {} us (p99 {} us), all of it {} s\n",
                     report.worst_ratio, FormatNumber(timing.decision_p50_us), FormatNumber(timing.decision_p99_us),
                     FormatNumber(timing.wall_s));
}

} // namespace

std::string Render(const SimulateTitle& title, const SimulateReport& report, const RenderOptions& options) {
  return options.format == OutputFormat::kJson ? ReportJson(title, report) : ReportText(title, report, options.color);
}

} // namespace avocet

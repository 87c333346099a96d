#include <algorithm>

#include <fmt/format.h>

#include "cli/render/format.h"
#include "cli/render/render_text.h"
#include "cli/render/table.h"

namespace avocet {
namespace {

std::string NameOf(const Verdict& verdict) {
  return verdict.emulated ? verdict.device.str() + " (emulated)" : verdict.device.str();
}

const Verdict* Find(const Decision& decision, const DeviceId& device) {
  const auto found = std::find_if(decision.verdicts.begin(), decision.verdicts.end(),
                                  [&](const Verdict& verdict) { return verdict.device == device; });
  return found == decision.verdicts.end() ? nullptr : &*found;
}

std::string Rate(double rate_rps) {
  return FormatNumber(FloorTo3Digits(rate_rps));
}

std::string Headline(const Decision& decision, bool color) {
  const Application& app = decision.app;
  const std::string request =
      fmt::format("{}: model {}, {} rps {}, {} <= {} ms", app.name.str(),
                  decision.model.empty() ? app.model : decision.model.str(), FormatNumber(app.rate_rps),
                  ToString(app.arrival), ToString(app.objective.statistic), FormatMillis(app.objective.latency));
  if (!decision.device) return Paint("REJECTED", Tone::kBad, color) + " " + request + "\n";
  const Verdict* chosen = Find(decision, *decision.device);
  const std::string device = chosen ? NameOf(*chosen) : decision.device->str();
  return fmt::format("{} {}\n  on {}\n", Paint("ADMITTED", Tone::kGood, color), request, device);
}

std::string MovesText(const std::vector<Move>& moves) {
  std::string text;
  for (const Move& move : moves)
    text += fmt::format("  moves {} from {} to {}\n", move.app.str(), move.from.str(), move.to.str());
  return text;
}

/// What the filter needed and found; a filter on a state has no numbers to show.
std::pair<std::string, std::string> NeededFound(const Verdict& verdict) {
  if (verdict.ok || verdict.unit == Unit::kState) return {"", ""};
  if (verdict.unit == Unit::kRatio) {
    auto [needed, found] = FormatApart(verdict.needed * 100, verdict.found * 100);
    return {needed + " %", found + " %"};
  }
  auto [needed, found] = FormatApart(verdict.needed, verdict.found);
  const std::string unit = " " + std::string(ToString(verdict.unit));
  return {needed + unit, found + unit};
}

std::string VerdictTable(const Decision& decision, bool color) {
  TextTable table({{"DEVICE"},
                   {"FITS"},
                   {"FILTER"},
                   {"NEEDED", Align::kRight},
                   {"FOUND", Align::kRight},
                   {"UTIL BEFORE", Align::kRight},
                   {"AFTER", Align::kRight},
                   {"LARGEST RPS", Align::kRight}});

  // Devices that did not fit are listed, too: the filter and its numbers are the explanation.
  for (const Verdict& verdict : decision.verdicts) {
    const auto [needed, found] = NeededFound(verdict);
    table.Add({NameOf(verdict), Cell(verdict.ok ? "yes" : "no", verdict.ok ? Tone::kGood : Tone::kBad),
               std::string(FilterName(verdict)), needed, found, FormatPercent(verdict.utilization_before),
               FormatPercent(verdict.utilization_after), verdict.max_rate_sought ? Rate(verdict.max_rate_rps) : "-"});
  }
  return table.Render(color);
}

std::string Details(const Decision& decision) {
  std::string text;
  for (const Verdict& verdict : decision.verdicts)
    if (!verdict.ok && !verdict.detail.empty())
      text += fmt::format("  {}: {}\n", verdict.device.str(), Cell(verdict.detail).text);
  return text.empty() ? "" : "\n" + text;
}

/// Predicted latencies on the chosen device.
std::string ResidentsTable(const Decision& decision, bool color) {
  const Verdict* chosen = decision.device ? Find(decision, *decision.device) : nullptr;
  if (!chosen) return "";
  TextTable table(
      {{"APPLICATION"}, {"OBJECTIVE"}, {"PREDICTED BEFORE MS", Align::kRight}, {"AFTER MS", Align::kRight}});
  for (const AppLatency& latency : chosen->apps)
    table.Add({latency.app == decision.app.name ? latency.app.str() + " (new)" : latency.app.str(),
               fmt::format("{} <= {} ms", ToString(latency.statistic), FormatMillis(latency.objective)),
               FormatMillis(latency.before), FormatMillis(latency.after)});
  return fmt::format("\nOn {}:\n{}", NameOf(*chosen), table.Render(color));
}

std::string Closing(const Decision& decision) {
  if (decision.verdicts.empty()) return "No device was considered: no node has registered.\n";
  const auto best =
      std::max_element(decision.verdicts.begin(), decision.verdicts.end(),
                       [](const Verdict& a, const Verdict& b) { return a.max_rate_rps < b.max_rate_rps; });
  if (decision.max_rate_rps <= 0) return "\nNo rate of this application fits on any device.\n";
  return fmt::format("\nThe largest rate that fits: {} rps, on {}.\n", Rate(decision.max_rate_rps), NameOf(*best));
}

} // namespace

std::string ToText(const Decision& decision, bool color) {
  return Headline(decision, color) + MovesText(decision.moves) + "\n" + VerdictTable(decision, color) +
         Details(decision) + ResidentsTable(decision, color) + Closing(decision);
}

std::string ToText(const RebalancePlan& plan, bool color) {
  if (plan.moves.empty())
    return fmt::format("nothing to move: no move looked at makes more room than {}\n", FormatNumber(plan.room_before));
  TextTable table({{"APPLICATION"},
                   {"FROM"},
                   {"UTIL BEFORE", Align::kRight},
                   {"AFTER", Align::kRight},
                   {"TO"},
                   {"UTIL BEFORE", Align::kRight},
                   {"AFTER", Align::kRight},
                   {"ROOM", Align::kRight}});

  for (const auto& one : plan.moves)
    table.Add({one.move.app.str(), one.move.from.str(), FormatPercent(one.from_utilization_before),
               FormatPercent(one.from_utilization_after), one.move.to.str(), FormatPercent(one.to_utilization_before),
               FormatPercent(one.to_utilization_after), FormatNumber(one.room_after)});

  // The summary comes first, since a long table scrolls it away.
  return fmt::format("{} {}; one more application fits on {} devices instead of {}, on average\n\n", plan.moves.size(),
                     plan.executed ? "moved" : "to move", FormatNumber(plan.room_after),
                     FormatNumber(plan.room_before)) +
         table.Render(color);
}

} // namespace avocet

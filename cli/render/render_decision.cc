#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "cli/render/format.h"
#include "cli/render/render.h"
#include "cli/render/render_text.h"
#include "cli/render/table.h"
#include "cli/text/visible.h"

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

std::string ObjectiveOf(const Application& app) {
  std::string text = fmt::format("{} <= {} ms", ToString(app.objective.statistic), FormatMillis(app.objective.latency));
  // What a device must keep is less, and a reader who compares the tables with the file must learn why.
  if (app.network_allowance > Duration::zero())
    text +=
        fmt::format(" ({} ms less {} ms for the network)", FormatMillis(app.objective.latency - app.network_allowance),
                    FormatMillis(app.network_allowance));
  return text;
}

/// "face:1", or "face:1 -> face:2" where another version serves until now.
std::string ModelOf(const Decision& decision, const DecisionView& view) {
  const std::string model = decision.model.empty() ? decision.app.model : decision.model.str();
  const Placement* before = view.before && view.before->placement ? &*view.before->placement : nullptr;
  return before != nullptr && before->model.str() != model ? before->model.str() + " -> " + model : model;
}

std::string Headline(const Decision& decision, const DecisionView& view, bool color) {
  const Application& app = decision.app;
  const std::string request = fmt::format("{}: model {}, {} rps {}, {}", app.name.str(), ModelOf(decision, view),
                                          FormatNumber(app.rate_rps), ToString(app.arrival), ObjectiveOf(app));
  const auto said = [&](const std::string& word, Tone tone) {
    return Paint(word, tone, color) + Paragraph(Visible(word + " " + request), 2).substr(word.size());
  };
  if (!decision.device) return said("REJECTED", Tone::kBad);

  const Verdict* chosen = Find(decision, *decision.device);
  const std::string device = Visible(chosen ? NameOf(*chosen) : decision.device->str());
  if (view.before && !ChangesAnything(decision, view))
    return said("UNCHANGED", Tone::kGood) + "  it is on " + device + " already\n";
  return said("ADMITTED", Tone::kGood) + "  on " + device + "\n";
}

std::string MovesText(const std::vector<Move>& moves) {
  std::string text;
  for (const Move& move : moves)
    text += Visible(fmt::format("  moves {} from {} to {}", move.app.str(), move.from.str(), move.to.str())) + "\n";
  return text;
}

/// What the filter needed and found; a filter on a state has no numbers to show.
std::pair<std::string, std::string> NeededFound(const Verdict& verdict) {
  if (verdict.ok || verdict.unit == Unit::kState) return {"", ""};
  if (verdict.unit == Unit::kRatio || verdict.unit == Unit::kCoresRatio) {
    auto [needed, found] = FormatApart(verdict.needed * 100, verdict.found * 100);
    return {needed + " %", found + " %"};
  }
  auto [needed, found] = FormatApart(verdict.needed, verdict.found);
  const std::string unit = " " + std::string(ToString(verdict.unit));
  return {needed + unit, found + unit};
}

constexpr size_t kMostDevices = 6; ///< in the text, of a cluster with many

/// Best first: what was chosen, what fits, then what came nearest to it.
std::vector<const Verdict*> Ranked(const Decision& decision) {
  std::vector<const Verdict*> ranked;
  for (const Verdict& verdict : decision.verdicts)
    ranked.push_back(&verdict);
  const auto key = [&](const Verdict* v) {
    return std::tuple(decision.device == v->device, v->ok, v->max_rate_rps,
                      v->filter ? static_cast<int>(*v->filter) : 0);
  };
  std::stable_sort(ranked.begin(), ranked.end(), [&](const auto* a, const auto* b) { return key(a) > key(b); });
  return ranked;
}

/// The few that are shown, in the order of the decision; the rest is only counted.
struct Shown {
  std::vector<const Verdict*> verdicts;
  size_t hidden = 0;
};

Shown ShownOf(const Decision& decision, const DecisionView& view) {
  Shown shown{Ranked(decision)};
  if (!view.all_devices && shown.verdicts.size() > kMostDevices) {
    shown.hidden = shown.verdicts.size() - kMostDevices;
    shown.verdicts.resize(kMostDevices);
  }
  std::sort(shown.verdicts.begin(), shown.verdicts.end()); // they stand in one vector
  return shown;
}

std::string VerdictTable(const Shown& shown, bool color) {
  TextTable table({{"DEVICE", Align::kLeft, Fit::kElide},
                   {"FITS"},
                   {"FILTER"},
                   {"NEEDED", Align::kRight},
                   {"FOUND", Align::kRight},
                   {"UTIL BEFORE", Align::kRight},
                   {"AFTER", Align::kRight},
                   {"LARGEST RPS", Align::kRight}});

  // Devices that did not fit are listed, too: the filter and its numbers are the explanation.
  for (const Verdict* verdict : shown.verdicts) {
    const auto [needed, found] = NeededFound(*verdict);
    table.Add({NameOf(*verdict), Cell(verdict->ok ? "yes" : "no", verdict->ok ? Tone::kGood : Tone::kBad),
               std::string(FilterName(*verdict)), needed, found, FormatPercent(verdict->utilization_before),
               FormatPercent(verdict->utilization_after),
               verdict->max_rate_sought ? Rate(verdict->max_rate_rps) : "-"});
  }
  std::string text = table.Render(color);
  if (shown.hidden > 0) text += fmt::format("and {} more devices; --all shows them\n", shown.hidden);
  return text;
}

std::string Details(const Shown& shown) {
  std::string text;
  for (const Verdict* verdict : shown.verdicts)
    if (!verdict->ok && !verdict->detail.empty())
      text += Paragraph(Visible(fmt::format("  {}: {}", verdict->device.str(), verdict->detail)), 4);
  return text.empty() ? "" : "\n" + text;
}

/// Predicted latencies on the chosen device.
std::string ResidentsTable(const Decision& decision, const DecisionView& view, bool color) {
  const Verdict* chosen = decision.device ? Find(decision, *decision.device) : nullptr;
  if (!chosen) return "";
  TextTable table({{"APPLICATION"},
                   {"OBJECTIVE LESS NETWORK"},
                   {"PREDICTED BEFORE MS", Align::kRight},
                   {"AFTER MS", Align::kRight}});
  const bool is_new = !view.before || !view.before->placement;
  for (const AppLatency& latency : chosen->apps)
    table.Add({latency.app == decision.app.name && is_new ? latency.app.str() + " (new)" : latency.app.str(),
               fmt::format("{} <= {} ms", ToString(latency.statistic), FormatMillis(latency.objective)),
               FormatMillis(latency.before), FormatMillis(latency.after)});
  return fmt::format("\nOn {}:\n{}", Visible(NameOf(*chosen)), table.Render(color));
}

std::string Closing(const Decision& decision) {
  if (decision.verdicts.empty()) return "No device was considered: no node has registered.\n";
  const auto best =
      std::max_element(decision.verdicts.begin(), decision.verdicts.end(),
                       [](const Verdict& a, const Verdict& b) { return a.max_rate_rps < b.max_rate_rps; });
  if (decision.max_rate_rps <= 0) return "\nNo rate of this application fits on any device.\n";
  return fmt::format("\nThe largest rate that fits: {} rps, on {}.\n", Rate(decision.max_rate_rps),
                     Visible(NameOf(*best)));
}

} // namespace

std::string ToText(const Decision& decision, const DecisionView& view, bool color) {
  if (view.before && decision.device && !ChangesAnything(decision, view)) return Headline(decision, view, color);
  const Shown shown = ShownOf(decision, view);
  return Headline(decision, view, color) + MovesText(decision.moves) + "\n" + VerdictTable(shown, color) +
         Details(shown) + ResidentsTable(decision, view, color) + Closing(decision);
}

std::string ToText(const RebalancePlan& plan, bool color) {
  if (plan.moves.empty())
    return fmt::format("nothing to move: no move looked at makes more room than {}\n", FormatNumber(plan.room_before));
  TextTable table({{"APPLICATION"},
                   {"FROM", Align::kLeft, Fit::kElide},
                   {"UTIL BEFORE", Align::kRight},
                   {"AFTER", Align::kRight},
                   {"TO", Align::kLeft, Fit::kElide},
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

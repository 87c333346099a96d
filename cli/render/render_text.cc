#include "cli/render/render_text.h"

#include <fmt/format.h>

#include "cli/render/format.h"
#include "cli/render/render.h"
#include "cli/render/render_measured.h"
#include "cli/render/table.h"
#include "cli/text/visible.h"

namespace avocet {
namespace {

constexpr size_t kShortDigest = 12; ///< characters of a SHA-256, enough for people to distinguish files

std::string OrNone(const std::string& text, const char* none) {
  return text.empty() ? none : text;
}

template <class List> std::string JoinIds(const List& ids) {
  std::string text;
  for (const auto& id : ids)
    text += (text.empty() ? "" : ", ") + id.str();
  return OrNone(text, "-");
}

Cell Health(DeviceHealth health) {
  return {std::string(ToString(health)), health == DeviceHealth::kHealthy ? Tone::kGood : Tone::kBad};
}

std::string EngineName(const DeviceSpec& spec) {
  return std::string(ToString(spec.engine));
}

std::string MarkEmulated(const std::string& id, bool emulated) {
  return emulated ? id + " (emulated)" : id;
}

std::string Phase(const AppStatus& app) {
  return app.placement ? std::string(ToString(app.placement->phase)) : "unplaced";
}

Tone PhaseTone(const AppStatus& app) {
  if (!app.placement) return Tone::kBad;
  switch (app.placement->phase) {
  case PlacementPhase::kReady:
    return Tone::kGood;
  case PlacementPhase::kStarting:
    return Tone::kPlain;
  case PlacementPhase::kLost:
  case PlacementPhase::kFailed:
    return Tone::kBad;
  }
  return Tone::kPlain;
}

std::string ObjectiveText(const Objective& objective) {
  return fmt::format("{} <= {} ms", ToString(objective.statistic), FormatMillis(objective.latency));
}

std::string Met(const AppStatus& app) {
  const auto met = ObjectiveMet(app);
  return met ? (*met ? "yes" : "NO") : "-";
}

std::optional<Duration> MeasuredMean(const AppTotals& totals) {
  if (totals.response.count == 0) return std::nullopt;
  return FromSeconds(totals.response.mean());
}

Duration StatisticOf(const LatencySummary& latency, Statistic statistic) {
  switch (statistic) {
  case Statistic::kMean:
    return latency.mean;
  case Statistic::kP50:
    return latency.p50;
  case Statistic::kP95:
    return latency.p95;
  case Statistic::kP99:
    return latency.p99;
  }
  return {};
}

/// "send 190 rps, 4.7 x the declared rate (last 1 min)": why requests are refused although the objective is held.
std::string OverDeclaredText(const AppStatus& app) {
  const auto over = OverDeclared(app);
  if (!over) return "";
  return fmt::format("send {} rps, {} x the declared rate (last 1 min)", FormatNumber(OfferedRate(app.recent.minute)),
                     FormatNumber(*over));
}

/// "gpu/emulated 10.8, cpu/tflite/n100/1core 3.2": what was measured of a format, on each type of device.
std::string ServiceTimes(const ModelStatus& model, ModelFormat format) {
  std::string text;
  for (const Profile& profile : model.profiles) {
    if (profile.format != format) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", profile.device_type, FormatMillis(profile.service_mean));
  }
  return OrNone(text, "-");
}

/// "label:   value" lines of one thing's status.
class Fields {
public:
  void Add(const std::string& label, const std::string& value) {
    text_ += fmt::format("{:<{}}{}\n", label, kLabelColumns, Visible(value));
  }
  void Add(const std::string& label, const Cell& value, bool color) {
    text_ += fmt::format("{:<{}}{}\n", label, kLabelColumns, Paint(value.text, value.tone, color));
  }
  const std::string& text() const { return text_; }

private:
  static constexpr int kLabelColumns = 20;
  std::string text_;
};

void AddDeclared(const Application& app, Fields& fields) {
  fields.Add("application", app.name.str());
  fields.Add("model", app.model);
  fields.Add("tenant, priority", fmt::format("{}, {}", app.tenant, app.priority));
  fields.Add("rate", fmt::format("{} rps, {}", FormatNumber(app.rate_rps), ToString(app.arrival)));
  const bool has_network = app.network_allowance > Duration::zero();
  fields.Add("objective", ObjectiveText(app.objective) +
                              (has_network ? fmt::format(", less {} ms for the network: {} ms at the agent",
                                                         FormatMillis(app.network_allowance),
                                                         FormatMillis(app.objective.latency - app.network_allowance))
                                           : std::string()));
  if (app.preprocess > Duration::zero()) fields.Add("pre-processing", FormatMillis(app.preprocess) + " ms");
}

void AddPlaced(const AppStatus& app, bool color, Fields& fields) {
  fields.Add("phase", Cell(Phase(app), PhaseTone(app)), color);
  if (!app.placement) return;
  if (!app.placement->reason.empty()) fields.Add("reason", app.placement->reason);
  fields.Add("device", fmt::format("{}, utilization {}", MarkEmulated(app.placement->device.str(), app.emulated),
                                   FormatPercent(app.utilization)));
  fields.Add("loaded model", fmt::format("{} ({})", app.placement->model.str(), ToString(app.placement->format)));
}

std::string LatencyTable(const AppStatus& app, bool color) {
  TextTable table({{"RESPONSE TIME, MS"},
                   {"MEAN", Align::kRight},
                   {"P50", Align::kRight},
                   {"P95", Align::kRight},
                   {"P99", Align::kRight},
                   {"RPS", Align::kRight},
                   {"ANSWERED", Align::kRight},
                   {"FAILED", Align::kRight},
                   {"REFUSED", Align::kRight},
                   {"EXPIRED", Align::kRight}});
  if (const auto& p = app.predicted)
    table.Add({"predicted", FormatMillis(p->mean), FormatMillis(p->p50), FormatMillis(p->p95), FormatMillis(p->p99), "",
               "", "", "", ""});
  const auto add = [&](const char* stretch, const AppTotals& m) {
    const auto quantile = [&](double p) { return FormatMillis(m.response_sketch.Quantile(p)); };
    table.Add({stretch, FormatMillis(MeasuredMean(m)), quantile(0.50), quantile(0.95), quantile(0.99),
               m.measured > Duration::zero() ? FormatNumber(m.arrivals_per_second()) : "-",
               std::to_string(m.completions), std::to_string(m.failures), std::to_string(m.refusals),
               std::to_string(m.expired)});
  };
  add("measured, last 1 min", app.recent.minute);
  add("measured, last 5 min", app.recent.five_minutes);
  add("measured, last 60 min", app.recent.hour);
  add("measured, in all", app.measured);
  return table.Render(color);
}

} // namespace

std::string ToText(const std::vector<NodeStatus>& nodes, bool color) {
  if (nodes.empty()) return "No nodes. Start one: avocet agent --config agent.toml\n";
  TextTable table(
      {{"NODE"}, {"HEALTH"}, {"INFERENCE"}, {"CORES", Align::kRight}, {"DEVICES", Align::kRight}, {"VERSION"}});
  for (const NodeStatus& node : nodes)
    table.Add({node.info.id.str(), Health(node.health), OrNone(node.info.grpc_address, "-"),
               std::to_string(node.info.cpu_cores), std::to_string(node.info.devices.size()),
               OrNone(node.info.version, "-")});

  std::string text = table.Render(color);
  for (const NodeStatus& node : nodes)
    if (!node.note.empty()) text += "\n" + node.info.id.str() + ": " + Cell(node.note).text + "\n";
  return text;
}

std::string ToText(const std::vector<DeviceStatus>& devices, bool color) {
  // A table without rows looks like an error, so a sentence says what is missing.
  if (devices.empty()) return "No devices: no node has registered.\n";
  TextTable table({{"DEVICE"},
                   {"KIND"},
                   {"ENGINE"},
                   {"DISCIPLINE"},
                   {"HEALTH"},
                   {"UTIL", Align::kRight},
                   {"MEMORY MIB", Align::kRight},
                   {"APPLICATIONS", Align::kLeft, Fit::kWrap}});

  for (const DeviceStatus& device : devices)
    table.Add(
        {device.spec.id().str(), std::string(ToString(device.spec.kind)), EngineName(device.spec),
         std::string(ToString(device.spec.discipline)), Health(device.health), FormatPercent(device.utilization),
         fmt::format("{} of {}", FormatMebibytes(device.memory_used_bytes), FormatMebibytes(device.spec.memory_bytes)),
         JoinIds(device.residents)});
  return table.Render(color);
}

std::string ToText(const std::vector<ModelStatus>& models, bool color) {
  if (models.empty())
    return "No models. Import one: avocet model import FILE (.tflite, .onnx, or .toml for an emulated one)\n";
  TextTable table({{"MODEL", Align::kLeft, Fit::kElide},
                   {"FORMAT"},
                   {"FILE"},
                   {"SIZE", Align::kRight},
                   {"IMPORTED"},
                   {"SERVICE MS", Align::kLeft, Fit::kWrap}});
  for (const ModelStatus& status : models)
    for (const Variant& variant : status.model.variants)
      table.Add({status.model.id().str(), std::string(ToString(variant.format)),
                 variant.file.str().substr(0, kShortDigest), FormatBytes(variant.size_bytes),
                 FormatTime(status.model.imported_at), ServiceTimes(status, variant.format)});

  std::string text = table.Render(color);
  for (const ModelStatus& status : models)
    if (!status.note.empty()) text += "\n" + status.model.id().str() + ": " + Cell(status.note).text + "\n";
  return text;
}

std::string ToText(const Model& model, bool color) {
  return ToText(std::vector<ModelStatus>{{model, {}}}, color);
}

std::string ToText(const std::vector<Profile>& profiles, bool color) {
  if (profiles.empty()) return "No profiles.\n";
  TextTable table({{"MODEL", Align::kLeft, Fit::kElide},
                   {"FORMAT"},
                   {"DEVICE TYPE", Align::kLeft, Fit::kElide},
                   {"SERVICE MS", Align::kRight},
                   {"SCV", Align::kRight},
                   {"SWITCH MS", Align::kRight},
                   {"MEMORY MIB", Align::kRight},
                   {"RUNS", Align::kRight}});

  for (const Profile& p : profiles)
    table.Add({p.model.str(), std::string(ToString(p.format)), p.device_type, FormatMillis(p.service_mean),
               FormatScv(p.service_scv), FormatMillis(p.switch_overhead), FormatMebibytes(p.memory_bytes),
               std::to_string(p.runs)});
  return table.Render(color);
}

std::string ToText(const std::vector<AppStatus>& apps, bool color) {
  if (apps.empty()) return "No applications. Admit one: avocet app apply app.toml\n";
  TextTable table({{"APPLICATION", Align::kLeft, Fit::kElide},
                   {"MODEL", Align::kLeft, Fit::kElide},
                   {"DEVICE", Align::kLeft, Fit::kElide},
                   {"PHASE"},
                   {"RPS", Align::kRight},
                   {"OBJECTIVE"},
                   {"PREDICTED", Align::kRight},
                   {"MEASURED", Align::kRight},
                   {"MET"}});

  // Predicted and measured are of the objective's own statistic: `app status` has the others.
  bool any_emulated = false;
  std::string over;
  for (const AppStatus& app : apps) {
    const bool missed = ObjectiveMet(app) == false;
    const bool emulated = app.placement && app.emulated;
    any_emulated = any_emulated || emulated;
    if (const std::string text = OverDeclaredText(app); !text.empty())
      over += Visible(app.app.name.str() + ": clients " + text) + "\n";
    table.Add({app.app.name.str(), app.placement ? app.placement->model.str() : app.app.model,
               app.placement ? app.placement->device.str() + (emulated ? "*" : "") : "-",
               Cell(Phase(app), PhaseTone(app)), FormatNumber(app.app.rate_rps), ObjectiveText(app.app.objective),
               app.predicted ? FormatMillis(StatisticOf(*app.predicted, app.app.objective.statistic)) : "-",
               FormatMillis(MeasuredStatistic(app.recent.five_minutes, app.app.objective.statistic)),
               Cell(Met(app), missed ? Tone::kBad : Tone::kPlain)});
  }

  return table.Render(color) +
         "\nPredicted and measured: the objective's statistic of the response time at the agent, in ms;\nmeasured in "
         "the "
         "last 5 minutes. `avocet app status` shows all of one application.\n" +
         (any_emulated ? "* emulated device\n" : "") + over;
}

std::string ToText(const AppStatus& app, bool color) {
  Fields fields;
  AddDeclared(app.app, fields);
  AddPlaced(app, color, fields);
  const Estimate& rate = app.measured.rate;
  if (rate.weight > 0) fields.Add("measured rate", FormatNumber(rate.mean) + " rps");
  if (const std::string over = OverDeclaredText(app); !over.empty()) fields.Add("clients", over);
  fields.Add("objective met", Met(app) + " (last 5 min)");
  return fields.text() + "\n" + LatencyTable(app, color);
}

std::string ToText(const std::vector<Event>& events, bool color) {
  TextTable table({{"#", Align::kRight}, {"AT"}, {"EVENT"}, {"SUBJECT"}, {"DETAIL", Align::kLeft, Fit::kWrap}});
  for (const Event& event : events)
    table.Add({std::to_string(event.sequence), FormatTime(event.at), event.kind, event.subject, event.detail});
  return table.Render(color);
}

std::string ToText(const VersionInfo& version, bool /*color*/) {
  if (version.role == kClientRole) return fmt::format("avocet {}\n", version.version);
  return fmt::format("avocet {} ({}), up {}, view {}\n", Visible(version.version), Visible(version.role),
                     FormatDuration(version.uptime), version.view_version);
}

std::string ToText(const Status& error, bool color) {
  return Paint("error:", Tone::kBad, color) + " " + VisibleLines(error.message()) + "\n";
}

} // namespace avocet

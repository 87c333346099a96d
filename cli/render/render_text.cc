#include "cli/render/render_text.h"

#include <fmt/format.h>

#include "cli/render/format.h"
#include "cli/render/render.h"
#include "cli/render/table.h"

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

std::string SampleMillis(const SampleSummary& sample, double seconds) {
  return sample.count == 0 ? "-" : FormatMillis(FromSeconds(seconds));
}

/// "label:   value" lines of one thing's status.
class Fields {
public:
  void Add(const std::string& label, const std::string& value) {
    constexpr int kLabelColumns = 20;
    text_ += fmt::format("{:<{}}{}\n", label, kLabelColumns, value);
  }
  const std::string& text() const { return text_; }

private:
  std::string text_;
};

void AddDeclared(const Application& app, Fields& fields) {
  fields.Add("application", app.name.str());
  fields.Add("model", app.model);
  fields.Add("tenant, priority", fmt::format("{}, {}", app.tenant, app.priority));
  fields.Add("rate", fmt::format("{} rps, {}", FormatNumber(app.rate_rps), ToString(app.arrival)));
  fields.Add("objective", ObjectiveText(app.objective));
  if (app.network_allowance > Duration::zero())
    fields.Add("network allowance", FormatMillis(app.network_allowance) + " ms");
  if (app.preprocess > Duration::zero()) fields.Add("pre-processing", FormatMillis(app.preprocess) + " ms");
}

void AddPlaced(const AppStatus& app, bool color, Fields& fields) {
  fields.Add("phase", Paint(Phase(app), PhaseTone(app), color));
  if (!app.placement) return;
  if (!app.placement->reason.empty()) fields.Add("reason", Cell(app.placement->reason).text);
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

std::string LoadLatency(const LoadReport& report, bool color) {
  TextTable table({{"APPLICATION"},
                   {"RPS", Align::kRight},
                   {"ACHIEVED", Align::kRight},
                   {"SENT", Align::kRight},
                   {"OK", Align::kRight},
                   {"FAILED", Align::kRight},
                   {"DROPPED", Align::kRight},
                   {"MEAN MS", Align::kRight},
                   {"P50", Align::kRight},
                   {"P90", Align::kRight},
                   {"P95", Align::kRight},
                   {"P99", Align::kRight},
                   {"P99.9", Align::kRight},
                   {"MAX", Align::kRight}});

  // Zeros stay plain, so that failures catch the eye.
  const auto bad = [](uint64_t n) { return Cell(std::to_string(n), n > 0 ? Tone::kBad : Tone::kPlain); };
  for (const AppLoadReport& app : report.apps) {
    const SampleSummary& s = app.latency;
    table.Add({MarkEmulated(app.target.app.str(), app.emulated), FormatNumber(app.intended_rps),
               FormatNumber(app.achieved_rps), std::to_string(app.sent), std::to_string(app.ok),
               bad(app.failed + app.unanswered), bad(app.dropped), SampleMillis(s, s.mean_s), SampleMillis(s, s.p50_s),
               SampleMillis(s, s.p90_s), SampleMillis(s, s.p95_s), SampleMillis(s, s.p99_s), SampleMillis(s, s.p999_s),
               SampleMillis(s, s.max_s)});
  }

  return table.Render(color);
}

std::string IntervalMillis(const std::optional<Interval>& interval) {
  if (!interval) return "-";
  const std::string low = FormatMillis(FromSeconds(interval->low));
  return interval->high ? low + ".." + FormatMillis(FromSeconds(*interval->high)) : low + "..";
}

std::string LoadIntervals(const LoadReport& report, bool color) {
  TextTable table({{"95 % INTERVALS"},
                   {"MEAN MS", Align::kRight},
                   {"P50", Align::kRight},
                   {"P90", Align::kRight},
                   {"P95", Align::kRight},
                   {"P99", Align::kRight},
                   {"P99.9", Align::kRight}});

  // A table apart from the latencies: one with both would be wider than a terminal.
  for (const AppLoadReport& app : report.apps) {
    const SampleSummary& s = app.latency;
    table.Add({app.target.app.str(), IntervalMillis(s.mean_interval_s), IntervalMillis(s.p50_interval_s),
               IntervalMillis(s.p90_interval_s), IntervalMillis(s.p95_interval_s), IntervalMillis(s.p99_interval_s),
               IntervalMillis(s.p999_interval_s)});
  }
  return table.Render(color);
}

/// How to read the latencies, and whether the generator kept up.
std::string LoadNotes(const LoadReport& report) {
  std::string text;
  if (report.plan.mode() == LoadMode::kClosedLoop)
    text += fmt::format("Closed loop, {} in flight per application: a ceiling of throughput. Latency is from sending; "
                        "how long requests would\nhave waited at a given rate it does not say.\n",
                        report.plan.concurrency);
  else
    text += "Clients' latency from the moment a request was due; it includes the network and both transports.\n";

  // The application that was sent latest counts: its latencies are distorted most.
  double lag_p50_s = 0;
  double lag_p99_s = 0;
  for (const AppLoadReport& app : report.apps) {
    lag_p50_s = std::max(lag_p50_s, app.send_lag.p50_s);
    lag_p99_s = std::max(lag_p99_s, app.send_lag.p99_s);
  }

  // A run that is interrupted at once has elapsed 0 and sent nothing; neither may divide.
  const double cores = ToSeconds(report.processor_time) / std::max(1e-9, ToSeconds(report.elapsed));
  text += fmt::format(
      "Generator ({}): sent {} ms late at p50, {} ms at p99; used {} of a core, {} us per request.\n",
      ToString(report.protocol), FormatMillis(FromSeconds(lag_p50_s)), FormatMillis(FromSeconds(lag_p99_s)),
      FormatPercent(cores),
      FormatNumber(1e6 * ToSeconds(report.processor_time) / static_cast<double>(std::max<uint64_t>(1, report.sent()))));
  return text;
}

std::string LoadErrors(const LoadReport& report) {
  std::string text;
  for (const AppLoadReport& app : report.apps)
    for (const LoadErrorCount& error : app.errors)
      text += fmt::format("{}: {} x {}, first: {}\n", app.target.app.str(), error.count, ToString(error.code),
                          Cell(error.first_message).text);
  return text;
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
  return table.Render(color);
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
                   {"APPLICATIONS"}});

  for (const DeviceStatus& device : devices)
    table.Add(
        {device.spec.id().str(), std::string(ToString(device.spec.kind)), EngineName(device.spec),
         std::string(ToString(device.spec.discipline)), Health(device.health), FormatPercent(device.utilization),
         fmt::format("{} of {}", FormatMebibytes(device.memory_used_bytes), FormatMebibytes(device.spec.memory_bytes)),
         JoinIds(device.residents)});
  return table.Render(color);
}

std::string ToText(const std::vector<ModelStatus>& models, bool color) {
  if (models.empty()) return "No models. Import one: avocet model import NAME FILE\n";
  TextTable table({{"MODEL"}, {"FORMAT"}, {"FILE"}, {"MIB", Align::kRight}, {"PROFILES", Align::kRight}, {"IMPORTED"}});
  for (const ModelStatus& status : models)
    for (const Variant& variant : status.model.variants)
      table.Add({status.model.id().str(), std::string(ToString(variant.format)),
                 variant.file.str().substr(0, kShortDigest), FormatMebibytes(variant.size_bytes),
                 std::to_string(status.profiles.size()), FormatTime(status.model.imported_at)});
  return table.Render(color);
}

std::string ToText(const Model& model, bool color) {
  return ToText(std::vector<ModelStatus>{{model, {}}}, color);
}

std::string ToText(const std::vector<Profile>& profiles, bool color) {
  if (profiles.empty()) return "No profiles.\n";
  TextTable table({{"MODEL"},
                   {"FORMAT"},
                   {"DEVICE TYPE"},
                   {"SERVICE MS", Align::kRight},
                   {"SCV", Align::kRight},
                   {"SWITCH MS", Align::kRight},
                   {"MEMORY MIB", Align::kRight},
                   {"RUNS", Align::kRight}});

  for (const Profile& p : profiles)
    table.Add({p.model.str(), std::string(ToString(p.format)), p.device_type, FormatMillis(p.service_mean),
               FormatNumber(p.service_scv), FormatMillis(p.switch_overhead), FormatMebibytes(p.memory_bytes),
               std::to_string(p.runs)});
  return table.Render(color);
}

std::string ToText(const std::vector<AppStatus>& apps, bool color) {
  if (apps.empty()) return "No applications. Admit one: avocet app apply app.toml\n";
  TextTable table({{"APPLICATION"},
                   {"MODEL"},
                   {"PHASE"},
                   {"DEVICE"},
                   {"RPS", Align::kRight},
                   {"OBJECTIVE"},
                   {"PREDICTED MEAN", Align::kRight},
                   {"P95", Align::kRight},
                   {"MEASURED (5 MIN) MEAN", Align::kRight},
                   {"P95", Align::kRight},
                   {"MET"}});

  for (const AppStatus& app : apps) {
    const auto predicted = app.predicted.value_or(LatencySummary{});
    // Without a prediction a dash is shown, because 0 would read as very fast.
    const auto shown = [&](Duration value) { return app.predicted ? FormatMillis(value) : std::string("-"); };
    const bool missed = ObjectiveMet(app) == false;
    const AppTotals& measured = app.recent.five_minutes;
    table.Add({app.app.name.str(), app.app.model, Cell(Phase(app), PhaseTone(app)),
               app.placement ? MarkEmulated(app.placement->device.str(), app.emulated) : "-",
               FormatNumber(app.app.rate_rps), ObjectiveText(app.app.objective), shown(predicted.mean),
               shown(predicted.p95), FormatMillis(MeasuredMean(measured)),
               FormatMillis(measured.response_sketch.Quantile(0.95)),
               Cell(Met(app), missed ? Tone::kBad : Tone::kPlain)});
  }

  return table.Render(color) +
         "\nLatencies in ms: response time at the agent; measured and met: in the last 5 minutes.\n";
}

std::string ToText(const AppStatus& app, bool color) {
  Fields fields;
  AddDeclared(app.app, fields);
  AddPlaced(app, color, fields);
  const Estimate& rate = app.measured.rate;
  if (rate.weight > 0) fields.Add("measured rate", FormatNumber(rate.mean) + " rps");
  fields.Add("objective met", Met(app) + " (last 5 min)");
  return fields.text() + "\n" + LatencyTable(app, color);
}

std::string ToText(const std::vector<Event>& events, bool color) {
  TextTable table({{"#", Align::kRight}, {"AT"}, {"EVENT"}, {"SUBJECT"}, {"DETAIL"}});
  for (const Event& event : events)
    table.Add({std::to_string(event.sequence), FormatTime(event.at), event.kind, event.subject, event.detail});
  return table.Render(color);
}

std::string ToText(const VersionInfo& version, bool /*color*/) {
  return fmt::format("avocet {} ({}), up {}, view {}\n", version.version, version.role, FormatDuration(version.uptime),
                     version.view_version);
}

std::string ToText(const LoadReport& report, bool color) {
  return LoadLatency(report, color) + "\n" + LoadIntervals(report, color) + "\n" + LoadNotes(report) +
         LoadErrors(report);
}

std::string ToText(const Status& error, bool color) {
  return Paint("error:", Tone::kBad, color) + " " + error.message() + "\n";
}

} // namespace avocet

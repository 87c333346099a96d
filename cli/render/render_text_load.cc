#include <algorithm>

#include <fmt/format.h>

#include "cli/render/format.h"
#include "cli/render/render_text.h"
#include "cli/render/table.h"

namespace avocet {
namespace {

std::string SampleMillis(const SampleSummary& sample, double seconds) {
  return sample.count == 0 ? "-" : FormatMillis(FromSeconds(seconds));
}

std::string LoadCounts(const LoadReport& report, bool color) {
  TextTable table({{"APPLICATION"},
                   {"RPS", Align::kRight},
                   {"ACHIEVED", Align::kRight},
                   {"SENT", Align::kRight},
                   {"OK", Align::kRight},
                   {"FAILED", Align::kRight},
                   {"DROPPED", Align::kRight}});

  // Zeros stay plain, so that failures catch the eye.
  const auto bad = [](uint64_t n) { return Cell(std::to_string(n), n > 0 ? Tone::kBad : Tone::kPlain); };
  for (const AppLoadReport& app : report.apps)
    table.Add({app.target.app.str() + (app.emulated ? " (emulated)" : ""), FormatNumber(app.intended_rps),
               FormatNumber(app.achieved_rps), std::to_string(app.sent), std::to_string(app.ok),
               bad(app.failed + app.unanswered), bad(app.dropped)});
  return table.Render(color);
}

std::string LoadLatency(const LoadReport& report, bool color) {
  TextTable table({{"LATENCY"},
                   {"MEAN MS", Align::kRight},
                   {"P50", Align::kRight},
                   {"P90", Align::kRight},
                   {"P95", Align::kRight},
                   {"P99", Align::kRight},
                   {"P99.9", Align::kRight},
                   {"MAX", Align::kRight}});
  for (const AppLoadReport& app : report.apps) {
    const SampleSummary& s = app.latency;
    table.Add({app.target.app.str(), SampleMillis(s, s.mean_s), SampleMillis(s, s.p50_s), SampleMillis(s, s.p90_s),
               SampleMillis(s, s.p95_s), SampleMillis(s, s.p99_s), SampleMillis(s, s.p999_s),
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
                        "how\nlong requests would have waited at a given rate it does not say.\n",
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

std::string ToText(const LoadReport& report, bool color) {
  const std::string interrupted =
      report.interrupted ? "Interrupted: the report is of what was sent until then.\n\n" : "";
  return interrupted + LoadCounts(report, color) + "\n" + LoadLatency(report, color) + "\n" +
         LoadIntervals(report, color) + "\n" + LoadNotes(report) + LoadErrors(report);
}

} // namespace avocet

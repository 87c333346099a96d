#include <nlohmann/json.hpp>

#include "cli/render/render_json.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;

Json IntervalJson(const std::optional<Interval>& interval) {
  if (!interval) return {};
  return {interval->low * 1e3, interval->high ? Json(*interval->high * 1e3) : Json()};
}

Json SampleJson(const SampleSummary& sample) {
  // Without a sample every statistic is null, because 0 would read as very fast.
  const auto ms = [&](double seconds) { return sample.count > 0 ? Json(seconds * 1e3) : Json(); };

  return {{"count", sample.count},
          {"mean_ms", ms(sample.mean_s)},
          {"mean_interval_ms", IntervalJson(sample.mean_interval_s)},
          {"p50_ms", ms(sample.p50_s)},
          {"p50_interval_ms", IntervalJson(sample.p50_interval_s)},
          {"p90_ms", ms(sample.p90_s)},
          {"p90_interval_ms", IntervalJson(sample.p90_interval_s)},
          {"p95_ms", ms(sample.p95_s)},
          {"p95_interval_ms", IntervalJson(sample.p95_interval_s)},
          {"p99_ms", ms(sample.p99_s)},
          {"p99_interval_ms", IntervalJson(sample.p99_interval_s)},
          {"p999_ms", ms(sample.p999_s)},
          {"p999_interval_ms", IntervalJson(sample.p999_interval_s)},
          {"max_ms", ms(sample.max_s)}};
}

Json ErrorCountJson(const LoadErrorCount& error) {
  return {{"code", ToString(error.code)}, {"count", error.count}, {"message", error.first_message}};
}

Json AppLoadJson(const AppLoadReport& app) {
  Json errors = Json::array();
  for (const LoadErrorCount& error : app.errors)
    errors.push_back(ErrorCountJson(error));

  // Latency is the client's, server_response the agent's: the difference is the transport.
  return {{"name", app.target.app.str()},
          {"rate_rps", app.target.rate_rps},
          {"arrival", ToString(app.target.arrival)},
          {"emulated", app.emulated},
          {"sent", app.sent},
          {"ok", app.ok},
          {"failed", app.failed},
          {"dropped", app.dropped},
          {"unanswered", app.unanswered},
          {"intended_rps", app.intended_rps},
          {"achieved_rps", app.achieved_rps},
          {"latency", SampleJson(app.latency)},
          {"server_response", app.server_response ? SampleJson(*app.server_response) : Json()},
          {"send_lag", SampleJson(app.send_lag)},
          {"errors", std::move(errors)}};
}

} // namespace

Json ToJson(const LoadReport& report) {
  Json apps = Json::array();
  for (const AppLoadReport& app : report.apps)
    apps.push_back(AppLoadJson(app));

  // Plan and seed are part of the report, because a run can be repeated with them.
  return {{"v", kJsonVersion},
          {"ok", report.ok()},
          {"address", report.address},
          {"protocol", ToString(report.protocol)},
          {"mode", ToString(report.plan.mode())},
          {"concurrency", report.plan.concurrency},
          {"seed", report.plan.seed},
          {"duration_s", ToSeconds(report.plan.duration)},
          {"warm_up_s", ToSeconds(report.plan.warm_up)},
          {"elapsed_s", ToSeconds(report.elapsed)},
          {"processor_time_s", ToSeconds(report.processor_time)},
          {"interrupted", report.interrupted},
          {"apps", std::move(apps)}};
}

} // namespace avocet

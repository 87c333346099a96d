#include "cli/demo/demo_report.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "cli/render/format.h"
#include "cli/render/render_json.h"
#include "cli/render/table.h"
#include "messages/invariant.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;

Moments Difference(const Moments& later, const Moments& earlier) {
  return {later.count - earlier.count, later.sum - earlier.sum, later.sum2 - earlier.sum2};
}

ResponseBatch Between(const AppTotals& earlier, const AppTotals& later) {
  return {Difference(later.response, earlier.response), later.response_sketch.Since(earlier.response_sketch)};
}

std::string Judge(const DemoRow& row) {
  const auto& objective = row.app.app.objective;
  if (row.requests == 0) return "no request was measured";
  if (!row.app.predicted) return "there is no prediction";
  if (row.interval_s && row.interval_s->low > ToSeconds(objective.latency))
    return "measured " + std::string(ToString(objective.statistic)) + " is above the objective, with 95 % confidence";
  if (row.requests > kDemoManyRequests && std::abs(row.mean_err) > kDemoMeanTolerance)
    return "the mean is off by more than " + FormatPercent(kDemoMeanTolerance);
  return "";
}

DemoRow Compare(const std::vector<DemoSample>& samples, size_t index) {
  DemoRow row{.app = samples.front()[index], .failure = ""};
  const auto& first = samples.front()[index].measured;

  // Counters grow from the start, so the measured window is the difference between its ends.
  const ResponseBatch whole = Between(first, samples.back()[index].measured);
  row.requests = whole.response.count;
  row.mean = FromSeconds(whole.response.mean());
  row.p95 = whole.sketch.Quantile(0.95).value_or(Duration{});
  if (row.app.predicted) row.mean_err = ToSeconds(row.mean) / ToSeconds(row.app.predicted->mean) - 1;

  // Successive responses depend on each other; the interval comes from the means of whole batches.
  std::vector<ResponseBatch> batches;
  for (size_t i = 1; i < samples.size(); ++i)
    batches.push_back(Between(samples[i - 1][index].measured, samples[i][index].measured));
  row.interval_s = ConfidenceInterval(row.app.app.objective.statistic, batches);
  row.failure = Judge(row);
  return row;
}

std::string DeviceOf(const AppStatus& app) {
  return app.placement ? app.placement->device.str() : "-";
}

Json ObjectiveJson(const Objective& objective) {
  return {{"statistic", std::string(ToString(objective.statistic))}, {"latency_ms", ToMillis(objective.latency)}};
}

Json PredictedJson(const AppStatus& app) {
  if (!app.predicted) return nullptr;
  return {{"mean_ms", ToMillis(app.predicted->mean)}, {"p95_ms", ToMillis(app.predicted->p95)}};
}

Json RowJson(const DemoRow& row, const AppLoadReport* client) {
  Json json = {{"name", row.app.app.name.str()},
               {"device", DeviceOf(row.app)},
               {"emulated", row.app.emulated},
               {"rate_rps", row.app.app.rate_rps},
               {"requests", row.requests},
               {"objective", ObjectiveJson(row.app.app.objective)},
               {"utilization", row.app.utilization},
               {"predicted", PredictedJson(row.app)},
               {"measured", {{"mean_ms", ToMillis(row.mean)}, {"p95_ms", ToMillis(row.p95)}}},
               {"mean_err", row.mean_err}};

  // Null where nothing is known, so that a script finds the key in every row.
  json["objective_ci_low_ms"] = row.interval_s ? Json(row.interval_s->low * 1e3) : Json(nullptr);
  if (client != nullptr)
    json["client"] = {
        {"mean_ms", client->latency.mean_s * 1e3}, {"p95_ms", client->latency.p95_s * 1e3}, {"failed", client->failed}};
  json["failure"] = row.failure.empty() ? Json(nullptr) : Json(row.failure);
  return json;
}

const AppLoadReport* FindClient(const LoadReport& load, const AppId& app) {
  for (const auto& one : load.apps) {
    if (one.target.app == app) return &one;
  }
  return nullptr;
}

std::string DemoJson(const DemoResult& result) {
  Json json = {{"v", 1}, {"ok", result.ok()}, {"apps", Json::array()}};
  for (const auto& row : result.rows)
    json["apps"].push_back(RowJson(row, FindClient(result.load, row.app.app.name)));
  json["rejection"] = ToJson(result.rejection);
  json["migration"] = nullptr; // this demo migrates nothing
  json["failures"] = result.failures;
  return json.dump(2) + "\n";
}

std::string Signed(double fraction) {
  return (fraction < 0 ? "" : "+") + FormatPercent(fraction);
}

std::string DemoTable(const DemoResult& result, bool color) {
  TextTable table({{"APPLICATION"},
                   {"DEVICE", Align::kLeft, Fit::kElide},
                   {"OBJECTIVE", Align::kRight},
                   {"PREDICTED", Align::kRight},
                   {"MEASURED", Align::kRight},
                   {"ERROR", Align::kRight},
                   {"P95 PREDICTED", Align::kRight},
                   {"P95", Align::kRight},
                   {"", Align::kLeft, Fit::kWrap}});

  for (const auto& row : result.rows) {
    const auto& objective = row.app.app.objective;
    const auto predicted = row.app.predicted.value_or(LatencySummary{});
    table.Add({row.app.app.name.str(), DeviceOf(row.app) + (row.app.emulated ? "*" : ""),
               std::string(ToString(objective.statistic)) + " " + FormatMillis(objective.latency),
               FormatMillis(predicted.mean), FormatMillis(row.mean), Signed(row.mean_err), FormatMillis(predicted.p95),
               FormatMillis(row.p95), row.failure.empty() ? Cell("ok", Tone::kGood) : Cell(row.failure, Tone::kBad)});
  }
  return table.Render(color) + "Predicted and measured: means, unless P95; times in ms. * emulated device\n";
}

} // namespace

std::vector<DemoRow> CompareSamples(const std::vector<DemoSample>& samples) {
  AVOCET_CHECK(samples.size() >= 2);
  std::vector<DemoRow> rows;
  for (size_t i = 0; i < samples.front().size(); ++i)
    rows.push_back(Compare(samples, i));
  return rows;
}

bool DemoResult::ok() const {
  if (!failures.empty()) return false;
  for (const auto& row : rows) {
    if (!row.failure.empty()) return false;
  }
  return true;
}

std::string RenderDemo(const DemoResult& result, const RenderOptions& options) {
  if (options.format == OutputFormat::kJson) return DemoJson(result);
  std::string text = DemoTable(result, options.color);
  for (const auto& failure : result.failures)
    text += "FAILED: " + failure + "\n";
  return text + (result.ok() ? "ok: every objective held, every prediction was within its bound\n" : "not ok\n");
}

} // namespace avocet

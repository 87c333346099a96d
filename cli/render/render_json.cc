#include "cli/render/render_json.h"

#include <nlohmann/json.hpp>

#include "cli/render/format.h"
#include "cli/render/render.h"
#include "cli/render/render_measured.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;

Json Millis(const std::optional<Duration>& value) {
  return value ? Json(ToMillis(*value)) : Json();
}
Json Mebibytes(uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(kMiB);
}

/// {"v":1} followed by the object's own keys.
Json Versioned(const Json& object) {
  Json out{{"v", kJsonVersion}};
  out.update(object);
  return out;
}

template <class List, class Convert> Json ListOf(const char* key, const List& list, const Convert& convert) {
  Json items = Json::array();
  for (const auto& item : list)
    items.push_back(convert(item));
  return {{"v", kJsonVersion}, {key, std::move(items)}};
}

template <class List> Json Names(const List& ids) {
  Json names = Json::array();
  for (const auto& id : ids)
    names.push_back(id.str());
  return names;
}

template <class List> Json EnumNames(const List& values) {
  Json names = Json::array();
  for (const auto& value : values)
    names.push_back(ToString(value));
  return names;
}

// ---- nodes and devices ----

Json SpecJson(const DeviceSpec& spec) {
  return {{"id", spec.id().str()},
          {"node", spec.node.str()},
          {"name", spec.name},
          {"kind", ToString(spec.kind)},
          {"discipline", ToString(spec.discipline)},
          {"engine", ToString(spec.engine)},
          {"emulated", spec.emulated()},
          {"type", spec.type},
          {"memory_mb", Mebibytes(spec.memory_bytes)},
          {"cores", spec.cores}};
}

Json NodeJson(const NodeStatus& node) {
  Json devices = Json::array();
  for (const DeviceSpec& spec : node.info.devices)
    devices.push_back(SpecJson(spec));
  return {{"name", node.info.id.str()},
          {"health", ToString(node.health)},
          {"version", node.info.version},
          {"grpc_address", node.info.grpc_address},
          {"rest_address", node.info.rest_address},
          {"cpu_cores", node.info.cpu_cores},
          {"core_speed", node.info.core_speed},
          {"note", node.note},
          {"devices", std::move(devices)}};
}

Json DeviceJson(const DeviceStatus& device) {
  Json json = SpecJson(device.spec);
  json["health"] = ToString(device.health);
  json["utilization"] = device.utilization;
  json["memory_used_mb"] = Mebibytes(device.memory_used_bytes);
  json["apps"] = Names(device.residents);
  return json;
}

// ---- models ----

Json ProfileJson(const Profile& profile) {
  return {{"model", profile.model.str()},
          {"format", ToString(profile.format)},
          {"device_type", profile.device_type},
          {"emulated", profile.emulated},
          {"service_ms", ToMillis(profile.service_mean)},
          {"service_scv", RoundScv(profile.service_scv)},
          {"switch_ms", ToMillis(profile.switch_overhead)},
          {"memory_mb", Mebibytes(profile.memory_bytes)},
          {"runs", profile.runs},
          {"measured_at", FormatTime(profile.measured_at)}};
}

Json VariantJson(const Variant& variant) {
  return {{"format", ToString(variant.format)}, {"sha256", variant.file.str()}, {"size_bytes", variant.size_bytes}};
}

std::string_view FillName(SampleFill fill) {
  switch (fill) {
  case SampleFill::kZeros:
    return "zeros";
  case SampleFill::kOnes:
    return "ones";
  case SampleFill::kRandom:
    return "random";
  case SampleFill::kFile:
    return "file";
  }
  return "unknown";
}

Json SampleJson(const SampleInput& sample) {
  Json json{{"name", sample.name}, {"fill", FillName(sample.fill)}};
  if (sample.shape) json["shape"] = *sample.shape;
  if (sample.fill == SampleFill::kRandom) json["seed"] = sample.seed;
  if (sample.fill != SampleFill::kFile) return json;
  json["sha256"] = sample.file.str();
  json["size_bytes"] = sample.size_bytes;
  return json;
}

Json ModelJson(const Model& model) {
  Json variants = Json::array();
  for (const Variant& variant : model.variants)
    variants.push_back(VariantJson(variant));
  Json samples = Json::array();
  for (const SampleInput& sample : model.samples)
    samples.push_back(SampleJson(sample));
  return {{"id", model.id().str()},        {"name", model.name},
          {"version", model.version},      {"variants", std::move(variants)},
          {"samples", std::move(samples)}, {"imported_at", FormatTime(model.imported_at)}};
}

Json ModelStatusJson(const ModelStatus& status) {
  Json json = ModelJson(status.model);
  json["profiles"] = ToJson(status.profiles)["profiles"];
  json["note"] = status.note;
  return json;
}

// ---- applications ----

Json ObjectiveJson(const Objective& objective) {
  return {{"statistic", ToString(objective.statistic)}, {"latency_ms", ToMillis(objective.latency)}};
}

Json PredictedJson(const std::optional<LatencySummary>& latency) {
  if (!latency) return {};
  return {{"mean_ms", ToMillis(latency->mean)},
          {"p50_ms", ToMillis(latency->p50)},
          {"p95_ms", ToMillis(latency->p95)},
          {"p99_ms", ToMillis(latency->p99)}};
}

/// What was measured in one stretch of time.
Json StretchJson(const AppTotals& totals) {
  const bool any = totals.response.count > 0;
  const auto& sketch = totals.response_sketch;
  const bool known = totals.measured > Duration::zero();
  return {{"requests", totals.completions},
          {"rate_rps", known ? Json(totals.arrivals_per_second()) : Json()},
          {"offered_rps", known ? Json(OfferedRate(totals)) : Json()},
          {"mean_ms", any ? Json(totals.response.mean() * 1e3) : Json()},
          {"p50_ms", Millis(sketch.Quantile(0.50))},
          {"p95_ms", Millis(sketch.Quantile(0.95))},
          {"p99_ms", Millis(sketch.Quantile(0.99))},
          {"refused", totals.refusals},
          {"expired", totals.expired},
          {"failed", totals.failures}};
}

/// Its own keys are those of the total, as before there were stretches; only its rate is the recent one.
Json MeasuredJson(const AppStatus& status) {
  const AppTotals& total = status.measured;
  Json json = StretchJson(total);
  for (const char* key : {"refused", "expired", "failed", "offered_rps"})
    json.erase(key);
  json["failures"] = total.failures;
  json["refusals"] = total.refusals;
  json["rate_rps"] = total.rate.weight > 0 ? Json(total.rate.mean) : Json();
  json["1m"] = StretchJson(status.recent.minute);
  json["5m"] = StretchJson(status.recent.five_minutes);
  json["60m"] = StretchJson(status.recent.hour);
  json["total"] = StretchJson(total);
  return json;
}

/// What its owner declared.
Json ApplicationJson(const Application& app) {
  return {{"name", app.name.str()},
          {"model", app.model},
          {"tenant", app.tenant},
          {"priority", app.priority},
          {"rate_rps", app.rate_rps},
          {"rate", ToString(app.rate_source)},
          {"arrival", ToString(app.arrival)},
          {"objective", ObjectiveJson(app.objective)},
          {"network_allowance_ms", ToMillis(app.network_allowance)},
          {"preprocess_ms", ToMillis(app.preprocess)},
          {"device_kinds", EnumNames(app.device_kinds)}};
}

Json AppJson(const AppStatus& status) {
  Json json = ApplicationJson(status.app);
  const Placement* placement = status.placement ? &*status.placement : nullptr;
  const auto met = ObjectiveMet(status);

  // Keys of an unplaced application are null, not absent, so that scripts find them in every answer.
  json["phase"] = placement ? ToString(placement->phase) : "unplaced";
  json["reason"] = placement ? placement->reason : "";
  json["device"] = placement ? Json(placement->device.str()) : Json();
  json["loaded_model"] = placement ? Json(placement->model.str()) : Json();
  json["epoch"] = placement ? Json(placement->epoch) : Json();

  json["emulated"] = status.emulated;
  json["utilization"] = status.utilization;
  json["predicted"] = PredictedJson(status.predicted);
  json["measured"] = MeasuredJson(status);
  json["objective_met"] = met ? Json(*met) : Json();
  const auto over = OverDeclared(status);
  json["over_declared"] = over ? Json(*over) : Json();
  return json;
}

// ---- decisions ----

Json LatencyJson(const AppLatency& latency) {
  return {{"name", latency.app.str()},
          {"statistic", ToString(latency.statistic)},
          {"objective_ms", ToMillis(latency.objective)},
          {"before_ms", Millis(latency.before)},
          {"after_ms", Millis(latency.after)},
          {"fast", latency.fast}};
}

Json VerdictJson(const Verdict& verdict) {
  // The filter and its numbers explain a refusal; beside an acceptance they would mislead.
  const auto unless_ok = [&](const Json& value) { return verdict.ok ? Json() : value; };
  Json apps = Json::array();
  for (const AppLatency& latency : verdict.apps)
    apps.push_back(LatencyJson(latency));

  return {{"device", verdict.device.str()},
          {"node", verdict.node.str()},
          {"ok", verdict.ok},
          {"emulated", verdict.emulated},
          {"filter", unless_ok(FilterName(verdict))},
          {"needed", unless_ok(verdict.needed)},
          {"found", unless_ok(verdict.found)},
          {"unit", unless_ok(ToString(verdict.unit))},
          {"detail", verdict.detail},
          {"utilization_before", verdict.utilization_before},
          {"utilization_after", verdict.utilization_after},
          {"memory_before_mb", Mebibytes(verdict.memory_before_bytes)},
          {"memory_after_mb", Mebibytes(verdict.memory_after_bytes)},
          {"memory_capacity_mb", Mebibytes(verdict.memory_capacity_bytes)},
          {"max_rate_rps", verdict.max_rate_sought ? Json(verdict.max_rate_rps) : Json()},
          {"apps", std::move(apps)}};
}

Json MoveJson(const Move& move) {
  return {{"app", move.app.str()}, {"from", move.from.str()}, {"to", move.to.str()}};
}

} // namespace

Json ToJson(const std::vector<NodeStatus>& nodes) {
  return ListOf("nodes", nodes, NodeJson);
}
Json ToJson(const std::vector<DeviceStatus>& devices) {
  return ListOf("devices", devices, DeviceJson);
}
Json ToJson(const std::vector<ModelStatus>& models) {
  return ListOf("models", models, ModelStatusJson);
}
Json ToJson(const Model& model) {
  return Versioned(ModelJson(model));
}
Json ToJson(const std::vector<Profile>& profiles) {
  return ListOf("profiles", profiles, ProfileJson);
}
Json ToJson(const std::vector<AppStatus>& apps) {
  return ListOf("apps", apps, AppJson);
}
Json ToJson(const AppStatus& app) {
  return Versioned(AppJson(app));
}

Json ToJson(const Event& event) {
  return {{"sequence", event.sequence},
          {"at", FormatTime(event.at)},
          {"kind", event.kind},
          {"subject", event.subject},
          {"detail", event.detail}};
}

Json ToJson(const std::vector<Event>& events) {
  return ListOf("events", events, [](const Event& event) { return ToJson(event); });
}

Json ToJson(const VersionInfo& version) {
  if (version.role == kClientRole) return {{"v", kJsonVersion}, {"version", version.version}, {"role", version.role}};
  return {{"v", kJsonVersion},
          {"version", version.version},
          {"role", version.role},
          {"view_version", version.view_version},
          {"uptime_s", ToSeconds(version.uptime)}};
}

Json ToJson(const Decision& decision) {
  Json moves = Json::array(), verdicts = Json::array();
  for (const Move& move : decision.moves)
    moves.push_back(MoveJson(move));
  for (const Verdict& verdict : decision.verdicts)
    verdicts.push_back(VerdictJson(verdict));

  // All verdicts, also those of devices that fit: a script can see by how much.
  return {{"v", kJsonVersion},
          {"decision", ToString(decision.kind)},
          {"app", ApplicationJson(decision.app)},
          {"model", decision.model.empty() ? Json() : Json(decision.model.str())},
          {"view_version", decision.view_version},
          {"decided_at", FormatTime(decision.decided_at)},
          {"device", decision.device ? Json(decision.device->str()) : Json()},
          {"moves", std::move(moves)},
          {"verdicts", std::move(verdicts)},
          {"max_rate_rps", decision.max_rate_rps},
          {"policy", ToString(decision.policy)}};
}

Json ToJson(const RebalancePlan& plan) {
  Json moves = Json::array();
  for (const auto& one : plan.moves) {
    // Begins like a move anywhere else, so that one parser reads both.
    Json json = MoveJson(one.move);
    json["from_utilization_before"] = one.from_utilization_before;
    json["from_utilization_after"] = one.from_utilization_after;
    json["to_utilization_before"] = one.to_utilization_before;
    json["to_utilization_after"] = one.to_utilization_after;
    json["room_after"] = one.room_after;
    moves.push_back(std::move(json));
  }

  return {{"v", kJsonVersion},
          {"view_version", plan.view_version},
          {"room_before", plan.room_before},
          {"room_after", plan.room_after},
          {"executed", plan.executed},
          {"moves", std::move(moves)}};
}

Json ToJson(const Status& error) {
  return {{"v", kJsonVersion}, {"error", {{"code", ToString(error.code())}, {"message", error.message()}}}};
}

} // namespace avocet

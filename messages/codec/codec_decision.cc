#include "messages/check.h"
#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"

namespace avocet {
namespace {

v1::AppLatency LatencyToProto(const AppLatency& latency) {
  v1::AppLatency proto;
  proto.set_app(latency.app.str());
  proto.set_statistic(static_cast<v1::Statistic>(latency.statistic));
  proto.set_objective_ns(latency.objective.count());
  if (latency.before) proto.set_before_ns(latency.before->count());
  if (latency.after) proto.set_after_ns(latency.after->count());
  proto.set_fast(latency.fast);
  return proto;
}

AppLatency ReadLatency(const v1::AppLatency& proto, Reader& reader) {
  AppLatency latency;
  latency.app = AppId(proto.app());
  latency.statistic = reader.Enumerator<Statistic>("verdicts.apps.statistic", proto.statistic(), v1::Statistic_IsValid);
  latency.objective = Duration(proto.objective_ns());
  latency.fast = proto.fast();
  if (proto.has_before_ns()) latency.before = Duration(proto.before_ns());
  if (proto.has_after_ns()) latency.after = Duration(proto.after_ns());
  return latency;
}

std::optional<FilterKind> ReadFilter(const std::string& name, Reader& reader) {
  const auto kind = ParseFilterKind(name);
  if (!kind && !name.empty()) reader.Fail("verdicts.filter", "the unknown filter " + Describe(name));
  return kind;
}

Unit ReadUnit(const std::string& name, Reader& reader) {
  const auto unit = ParseUnit(name);
  if (!unit) reader.Fail("verdicts.unit", "the unknown unit " + Describe(name));
  return unit.value_or(Unit::kNone);
}

v1::Verdict VerdictToProto(const Verdict& verdict) {
  v1::Verdict proto;
  proto.set_device(verdict.device.str());
  proto.set_node(verdict.node.str());
  proto.set_ok(verdict.ok);
  proto.set_emulated(verdict.emulated);
  proto.set_filter(std::string(FilterName(verdict)));
  proto.set_needed(verdict.needed);
  proto.set_found(verdict.found);
  proto.set_unit(std::string(ToString(verdict.unit)));
  proto.set_detail(verdict.detail);
  proto.set_utilization_before(verdict.utilization_before);
  proto.set_utilization_after(verdict.utilization_after);
  proto.set_memory_before_bytes(verdict.memory_before_bytes);
  proto.set_memory_after_bytes(verdict.memory_after_bytes);
  proto.set_memory_capacity_bytes(verdict.memory_capacity_bytes);

  for (const AppLatency& app : verdict.apps)
    *proto.add_apps() = LatencyToProto(app);
  // Negated on the wire: a record without the field says that the rate was sought.
  proto.set_max_rate_rps(verdict.max_rate_rps);
  proto.set_max_rate_not_sought(!verdict.max_rate_sought);

  return proto;
}

Verdict ReadVerdict(const v1::Verdict& proto, Reader& reader) {
  Verdict verdict;

  verdict.device = DeviceId(proto.device());
  verdict.node = NodeId(proto.node());
  verdict.ok = proto.ok();
  verdict.emulated = proto.emulated();
  verdict.filter = ReadFilter(proto.filter(), reader);
  verdict.needed = proto.needed();
  verdict.found = proto.found();
  verdict.unit = ReadUnit(proto.unit(), reader);
  verdict.detail = proto.detail();
  verdict.utilization_before = proto.utilization_before();
  verdict.utilization_after = proto.utilization_after();
  verdict.memory_before_bytes = proto.memory_before_bytes();
  verdict.memory_after_bytes = proto.memory_after_bytes();
  verdict.memory_capacity_bytes = proto.memory_capacity_bytes();

  for (const auto& app : proto.apps())
    verdict.apps.push_back(ReadLatency(app, reader));

  verdict.max_rate_rps = proto.max_rate_rps();
  verdict.max_rate_sought = !proto.max_rate_not_sought();

  return verdict;
}

Application ReadApplication(const v1::Decision& proto, Reader& reader) {
  reader.Present("app", proto.has_app());
  Result<Application> app = FromProto(proto.app());
  reader.Part("app", app.status());
  return app.ok() ? *std::move(app) : Application();
}

} // namespace

v1::Move ToProto(const Move& move) {
  v1::Move proto;
  proto.set_app(move.app.str());
  proto.set_from(move.from.str());
  proto.set_to(move.to.str());
  return proto;
}

Move FromProto(const v1::Move& proto) {
  return {.app = AppId(proto.app()), .from = DeviceId(proto.from()), .to = DeviceId(proto.to())};
}

v1::Placement ToProto(const Placement& placement) {
  v1::Placement proto;
  proto.set_app(placement.app.str());
  proto.set_device(placement.device.str());
  proto.set_model(placement.model.str());
  proto.set_format(static_cast<v1::ModelFormat>(placement.format));
  proto.set_file(placement.file.str());
  proto.set_epoch(placement.epoch);
  proto.set_phase(static_cast<v1::PlacementPhase>(placement.phase));
  proto.set_reason(placement.reason);
  proto.set_size_bytes(placement.size_bytes);
  return proto;
}

Result<Placement> FromProto(const v1::Placement& proto) {
  Reader reader("Placement");
  Placement placement;
  placement.app = AppId(proto.app());
  placement.device = DeviceId(proto.device());
  placement.model = ModelId(proto.model());
  placement.format = reader.Enumerator<ModelFormat>("format", proto.format(), v1::ModelFormat_IsValid);
  placement.file = Sha256(proto.file());
  placement.epoch = proto.epoch();
  placement.phase = reader.Enumerator<PlacementPhase>("phase", proto.phase(), v1::PlacementPhase_IsValid);
  placement.reason = proto.reason();
  placement.size_bytes = proto.size_bytes();
  return reader.Finish(std::move(placement));
}

v1::Decision ToProto(const Decision& decision) {
  v1::Decision proto;
  proto.set_kind(static_cast<v1::DecisionKind>(decision.kind));
  *proto.mutable_app() = ToProto(decision.app);
  proto.set_view_version(decision.view_version);
  if (decision.device) proto.set_device(decision.device->str());
  proto.set_model(decision.model.str());

  for (const Move& move : decision.moves)
    *proto.add_moves() = ToProto(move);
  for (const Verdict& verdict : decision.verdicts)
    *proto.add_verdicts() = VerdictToProto(verdict);

  proto.set_max_rate_rps(decision.max_rate_rps);
  proto.set_decided_at_ns(ToNanos(decision.decided_at));
  proto.set_policy(static_cast<v1::PlacementPolicy>(decision.policy));
  return proto;
}

Result<Decision> FromProto(const v1::Decision& proto) {
  Reader reader("Decision");

  Decision decision;

  decision.kind = reader.Enumerator<DecisionKind>("kind", proto.kind(), v1::DecisionKind_IsValid);
  decision.app = ReadApplication(proto, reader);
  decision.view_version = proto.view_version();
  if (proto.has_device()) decision.device = DeviceId(proto.device());
  decision.model = ModelId(proto.model());

  for (const auto& move : proto.moves())
    decision.moves.push_back(FromProto(move));
  for (const auto& verdict : proto.verdicts())
    decision.verdicts.push_back(ReadVerdict(verdict, reader));

  decision.max_rate_rps = proto.max_rate_rps();
  decision.decided_at = WallTimeOf(proto.decided_at_ns());
  // A record without the field keeps the default policy.
  if (proto.has_policy())
    decision.policy = reader.Enumerator<PlacementPolicy>("policy", proto.policy(), v1::PlacementPolicy_IsValid);

  return reader.Finish(std::move(decision));
}

v1::PlacementOptions ToProto(const PlacementOptions& options) {
  v1::PlacementOptions proto;
  if (options.policy) proto.set_policy(static_cast<v1::PlacementPolicy>(*options.policy));
  if (options.max_moves) proto.set_max_moves(*options.max_moves);
  return proto;
}

Result<PlacementOptions> FromProto(const v1::PlacementOptions& proto) {
  Reader reader("PlacementOptions");
  PlacementOptions options;
  if (proto.has_policy())
    options.policy = reader.Enumerator<PlacementPolicy>("policy", proto.policy(), v1::PlacementPolicy_IsValid);
  if (proto.has_max_moves()) options.max_moves = proto.max_moves();
  return reader.Finish(options);
}

AVOCET_BYTES(Placement)
AVOCET_BYTES(PlacementOptions)
AVOCET_BYTES(Decision)

} // namespace avocet

#include "actors/wire/control_codec.h"

#include <utility>

#include "messages/check.h"
#include "messages/codec/codec.h"

namespace avocet {
namespace {

/// A struct inside a request comes from a caller: what does not decode is his mistake.
Status CallersFault(const Status& status) {
  return {StatusCode::kInvalidArgument, status.message()};
}

/// Converts a repeated field element by element, up to the first that does not decode.
template <class Struct, class Repeated> Result<std::vector<Struct>> FromRepeated(const Repeated& protos) {
  std::vector<Struct> values;
  values.reserve(static_cast<size_t>(protos.size()));
  for (const auto& proto : protos) {
    AVOCET_ASSIGN_OR_RETURN(auto value, FromProto(proto));
    values.push_back(std::move(value));
  }
  return values;
}

template <class Structs, class Repeated> void ToRepeated(const Structs& values, Repeated* protos) {
  for (const auto& value : values)
    *protos->Add() = ToProto(value);
}

template <class Request, class Proto> Result<Request> AppRequest(const Proto& proto) {
  auto app = FromProto(proto.app());
  if (!app.ok()) return CallersFault(app.status());
  auto options = FromProto(proto.options());
  if (!options.ok()) return CallersFault(options.status());
  return Request{std::move(*app), *options};
}

/// A controller of a later version may know more of them.
Result<DeviceHealth> HealthOf(const std::string& text) {
  const auto health = ParseDeviceHealth(text);
  if (!health) return Corruption("field 'health': the unknown name " + Describe(text));
  return *health;
}

} // namespace

v1::NodeStatus ToProto(const NodeStatus& status) {
  v1::NodeStatus proto;
  *proto.mutable_info() = ToProto(status.info);
  proto.set_health(std::string(ToString(status.health)));
  proto.set_note(status.note);
  return proto;
}

Result<NodeStatus> FromProto(const v1::NodeStatus& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto info, FromProto(proto.info()));
  AVOCET_ASSIGN_OR_RETURN(const auto health, HealthOf(proto.health()));
  return NodeStatus{std::move(info), health, proto.note()};
}

v1::DeviceStatus ToProto(const DeviceStatus& status) {
  v1::DeviceStatus proto;
  *proto.mutable_spec() = ToProto(status.spec);
  proto.set_health(std::string(ToString(status.health)));
  proto.set_utilization(status.utilization);
  proto.set_memory_used_bytes(status.memory_used_bytes);
  for (const auto& app : status.residents)
    proto.add_residents(app.str());
  return proto;
}

Result<DeviceStatus> FromProto(const v1::DeviceStatus& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto spec, FromProto(proto.spec()));
  AVOCET_ASSIGN_OR_RETURN(const auto health, HealthOf(proto.health()));
  DeviceStatus status{.spec = std::move(spec),
                      .health = health,
                      .utilization = proto.utilization(),
                      .memory_used_bytes = proto.memory_used_bytes(),
                      .residents = {}};
  for (const auto& app : proto.residents())
    status.residents.emplace_back(app);
  return status;
}

v1::ModelStatus ToProto(const ModelStatus& status) {
  v1::ModelStatus proto;
  *proto.mutable_model() = ToProto(status.model);
  for (const auto& profile : status.profiles)
    *proto.add_profiles() = ToProto(profile);
  proto.set_note(status.note);
  return proto;
}

Result<ModelStatus> FromProto(const v1::ModelStatus& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto model, FromProto(proto.model()));
  AVOCET_ASSIGN_OR_RETURN(auto profiles, FromRepeated<Profile>(proto.profiles()));
  return ModelStatus{std::move(model), std::move(profiles), proto.note()};
}

v1::LatencySummary ToProto(const LatencySummary& summary) {
  v1::LatencySummary proto;
  proto.set_mean_ns(summary.mean.count());
  proto.set_p50_ns(summary.p50.count());
  proto.set_p95_ns(summary.p95.count());
  proto.set_p99_ns(summary.p99.count());
  return proto;
}

Result<LatencySummary> FromProto(const v1::LatencySummary& proto) {
  return LatencySummary{Duration(proto.mean_ns()), Duration(proto.p50_ns()), Duration(proto.p95_ns()),
                        Duration(proto.p99_ns())};
}

// ---- Requests without fields ----

#define AVOCET_EMPTY(Struct, Proto)                                                                                    \
  v1::Proto ToProto(const Struct&) {                                                                                   \
    return {};                                                                                                         \
  }                                                                                                                    \
  Result<Struct> FromProto(const v1::Proto&) {                                                                         \
    return Struct{};                                                                                                   \
  }
AVOCET_EMPTY(GetVersion, GetVersionRequest)
AVOCET_EMPTY(ListNodes, ListNodesRequest)
AVOCET_EMPTY(ListDevices, ListDevicesRequest)
AVOCET_EMPTY(ListModels, ListModelsRequest)
AVOCET_EMPTY(ListApps, ListAppsRequest)
#undef AVOCET_EMPTY

// ---- Lists ----

#define AVOCET_LIST(Struct, Element, field)                                                                            \
  v1::Struct ToProto(const Struct& value) {                                                                            \
    v1::Struct proto;                                                                                                  \
    ToRepeated(value.field, proto.mutable_##field());                                                                  \
    return proto;                                                                                                      \
  }                                                                                                                    \
  Result<Struct> FromProto(const v1::Struct& proto) {                                                                  \
    auto values = FromRepeated<Element>(proto.field());                                                                \
    if (!values.ok()) return values.status();                                                                          \
    return Struct{std::move(*values)};                                                                                 \
  }
AVOCET_LIST(NodeList, NodeStatus, nodes)
AVOCET_LIST(DeviceList, DeviceStatus, devices)
AVOCET_LIST(ModelList, ModelStatus, models)
AVOCET_LIST(ProfileList, Profile, profiles)
AVOCET_LIST(AppList, AppStatus, apps)
AVOCET_LIST(EventList, Event, events)
#undef AVOCET_LIST

// ---- Names ----

#define AVOCET_NAMED(Struct, Proto, Id, field)                                                                         \
  v1::Proto ToProto(const Struct& value) {                                                                             \
    v1::Proto proto;                                                                                                   \
    proto.set_##field(value.field.str());                                                                              \
    return proto;                                                                                                      \
  }                                                                                                                    \
  Result<Struct> FromProto(const v1::Proto& proto) {                                                                   \
    if (!IsName(proto.field()))                                                                                        \
      return InvalidArgument("field '" #field "' is not a name: " + Describe(proto.field()));                          \
    return Struct{Id(proto.field())};                                                                                  \
  }
AVOCET_NAMED(GetApp, GetAppRequest, AppId, app)
AVOCET_NAMED(ExplainApp, ExplainAppRequest, AppId, app)
AVOCET_NAMED(RemoveApp, RemoveAppRequest, AppId, app)
AVOCET_NAMED(RemovedApp, RemovedApp, AppId, app)
AVOCET_NAMED(AdoptNode, AdoptNodeRequest, NodeId, node)
AVOCET_NAMED(AdoptedNode, AdoptedNode, NodeId, node)
#undef AVOCET_NAMED

// ---- The rest ----

v1::VersionInfo ToProto(const VersionInfo& value) {
  v1::VersionInfo proto;
  proto.set_version(value.version);
  proto.set_role(value.role);
  proto.set_view_version(value.view_version);
  proto.set_uptime_ns(value.uptime.count());
  return proto;
}

Result<VersionInfo> FromProto(const v1::VersionInfo& proto) {
  return VersionInfo{proto.version(), proto.role(), proto.view_version(), Duration(proto.uptime_ns())};
}

v1::PutModelChunkRequest ToProto(const PutModelChunk& value) {
  v1::PutModelChunkRequest proto;
  proto.set_sha256(value.file.str());
  proto.set_offset(value.offset);
  proto.set_total_bytes(value.total_bytes);
  proto.set_data(value.data);
  return proto;
}

Result<PutModelChunk> FromProto(const v1::PutModelChunkRequest& proto) {
  return PutModelChunk{Sha256(proto.sha256()), proto.offset(), proto.total_bytes(), proto.data()};
}

v1::ModelChunkStored ToProto(const ModelChunkStored& value) {
  v1::ModelChunkStored proto;
  proto.set_next_offset(value.next_offset);
  return proto;
}

Result<ModelChunkStored> FromProto(const v1::ModelChunkStored& proto) {
  return ModelChunkStored{proto.next_offset()};
}

v1::FetchModelRequest ToProto(const FetchModel& value) {
  v1::FetchModelRequest proto;
  proto.set_sha256(value.file.str());
  proto.set_offset(value.offset);
  return proto;
}

Result<FetchModel> FromProto(const v1::FetchModelRequest& proto) {
  return FetchModel{Sha256(proto.sha256()), proto.offset()};
}

v1::ModelChunk ToProto(const ModelChunk& value) {
  v1::ModelChunk proto;
  proto.set_data(value.data);
  return proto;
}

Result<ModelChunk> FromProto(const v1::ModelChunk& proto) {
  return ModelChunk{proto.data()};
}

v1::ImportModelRequest ToProto(const ImportModel& value) {
  v1::ImportModelRequest proto;
  *proto.mutable_model() = ToProto(value.model);
  return proto;
}

Result<ImportModel> FromProto(const v1::ImportModelRequest& proto) {
  auto model = FromProto(proto.model());
  if (!model.ok()) return CallersFault(model.status());
  return ImportModel{std::move(*model)};
}

v1::ProfileModelRequest ToProto(const ProfileModel& value) {
  v1::ProfileModelRequest proto;
  proto.set_model(value.model);
  proto.set_device(value.device.str());
  for (const SampleInput& sample : value.samples)
    *proto.add_samples() = ToProto(sample);
  return proto;
}

Result<ProfileModel> FromProto(const v1::ProfileModelRequest& proto) {
  ProfileModel profile{proto.model(), DeviceId(proto.device()), {}};
  for (const auto& part : proto.samples()) {
    auto sample = FromProto(part);
    if (!sample.ok()) return CallersFault(sample.status());
    profile.samples.push_back(std::move(*sample));
  }
  return profile;
}

v1::PlanAppRequest ToProto(const PlanApp& value) {
  v1::PlanAppRequest proto;
  *proto.mutable_app() = ToProto(value.app);
  *proto.mutable_options() = ToProto(value.options);
  return proto;
}

Result<PlanApp> FromProto(const v1::PlanAppRequest& proto) {
  return AppRequest<PlanApp>(proto);
}

v1::ApplyAppRequest ToProto(const ApplyApp& value) {
  v1::ApplyAppRequest proto;
  *proto.mutable_app() = ToProto(value.app);
  *proto.mutable_options() = ToProto(value.options);
  return proto;
}

Result<ApplyApp> FromProto(const v1::ApplyAppRequest& proto) {
  return AppRequest<ApplyApp>(proto);
}

v1::RebalanceRequest ToProto(const Rebalance& value) {
  v1::RebalanceRequest proto;
  proto.set_max_moves(value.max_moves);
  proto.set_execute(value.execute);
  return proto;
}

Result<Rebalance> FromProto(const v1::RebalanceRequest& proto) {
  return Rebalance{proto.max_moves(), proto.execute()};
}

v1::RebalancePlan ToProto(const RebalancePlan& value) {
  v1::RebalancePlan proto;
  proto.set_view_version(value.view_version);
  proto.set_room_before(value.room_before);
  proto.set_room_after(value.room_after);
  proto.set_executed(value.executed);

  for (const auto& one : value.moves) {
    auto& move = *proto.add_moves();
    *move.mutable_move() = ToProto(one.move);
    move.set_from_utilization_before(one.from_utilization_before);
    move.set_from_utilization_after(one.from_utilization_after);
    move.set_to_utilization_before(one.to_utilization_before);
    move.set_to_utilization_after(one.to_utilization_after);
    move.set_room_after(one.room_after);
  }

  return proto;
}

Result<RebalancePlan> FromProto(const v1::RebalancePlan& proto) {
  RebalancePlan plan{.view_version = proto.view_version(),
                     .room_before = proto.room_before(),
                     .room_after = proto.room_after(),
                     .moves = {},
                     .executed = proto.executed()};

  for (const auto& one : proto.moves())
    plan.moves.push_back({.move = FromProto(one.move()),
                          .from_utilization_before = one.from_utilization_before(),
                          .from_utilization_after = one.from_utilization_after(),
                          .to_utilization_before = one.to_utilization_before(),
                          .to_utilization_after = one.to_utilization_after(),
                          .room_after = one.room_after()});

  return plan;
}

v1::AppStatus ToProto(const AppStatus& value) {
  v1::AppStatus proto;
  *proto.mutable_app() = ToProto(value.app);
  if (value.placement) *proto.mutable_placement() = ToProto(*value.placement);
  proto.set_emulated(value.emulated);
  proto.set_utilization(value.utilization);
  if (value.predicted) *proto.mutable_predicted() = ToProto(*value.predicted);
  *proto.mutable_measured() = ToProto(value.measured);
  *proto.mutable_last_minute() = ToProto(value.recent.minute);
  *proto.mutable_last_5_minutes() = ToProto(value.recent.five_minutes);
  *proto.mutable_last_60_minutes() = ToProto(value.recent.hour);
  return proto;
}

static Result<RecentTotals> ReadRecent(const v1::AppStatus& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto minute, FromProto(proto.last_minute()));
  AVOCET_ASSIGN_OR_RETURN(auto five_minutes, FromProto(proto.last_5_minutes()));
  AVOCET_ASSIGN_OR_RETURN(auto hour, FromProto(proto.last_60_minutes()));
  return RecentTotals{std::move(minute), std::move(five_minutes), std::move(hour)};
}

Result<AppStatus> FromProto(const v1::AppStatus& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto app, FromProto(proto.app()));
  AVOCET_ASSIGN_OR_RETURN(auto measured, FromProto(proto.measured()));
  AppStatus status{.app = std::move(app), .placement = {}, .predicted = {}, .measured = std::move(measured)};
  AVOCET_ASSIGN_OR_RETURN(auto recent, ReadRecent(proto));
  status.recent = std::move(recent);
  status.emulated = proto.emulated();
  status.utilization = proto.utilization();
  if (proto.has_predicted()) status.predicted = *FromProto(proto.predicted());
  if (!proto.has_placement()) return status;
  AVOCET_ASSIGN_OR_RETURN(auto placement, FromProto(proto.placement()));
  status.placement = std::move(placement);
  return status;
}

v1::ListEventsRequest ToProto(const ListEvents& value) {
  v1::ListEventsRequest proto;
  proto.set_after_sequence(value.after_sequence);
  return proto;
}

Result<ListEvents> FromProto(const v1::ListEventsRequest& proto) {
  return ListEvents{proto.after_sequence()};
}

} // namespace avocet

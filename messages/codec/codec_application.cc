#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"

namespace avocet {
namespace {

v1::Arrival ArrivalToProto(const Arrival& arrival) {
  v1::Arrival proto;
  proto.set_kind(static_cast<v1::ArrivalKind>(arrival.kind));
  proto.set_scv(arrival.scv);
  return proto;
}

Arrival ReadArrival(const v1::Arrival& proto, Reader& reader) {
  return {.kind = reader.Enumerator<ArrivalKind>("arrival.kind", proto.kind(), v1::ArrivalKind_IsValid),
          .scv = proto.scv()};
}

v1::Objective ObjectiveToProto(const Objective& objective) {
  v1::Objective proto;
  proto.set_statistic(static_cast<v1::Statistic>(objective.statistic));
  proto.set_latency_ns(objective.latency.count());
  return proto;
}

Objective ReadObjective(const v1::Objective& proto, Reader& reader) {
  return {.statistic = reader.Enumerator<Statistic>("objective.statistic", proto.statistic(), v1::Statistic_IsValid),
          .latency = Duration(proto.latency_ns())};
}

} // namespace

v1::Application ToProto(const Application& app) {
  v1::Application proto;
  proto.set_name(app.name.str());
  proto.set_model(app.model);
  proto.set_tenant(app.tenant);
  proto.set_priority(app.priority);
  proto.set_rate_rps(app.rate_rps);
  proto.set_rate_source(static_cast<v1::RateSource>(app.rate_source));
  *proto.mutable_arrival() = ArrivalToProto(app.arrival);
  *proto.mutable_objective() = ObjectiveToProto(app.objective);
  proto.set_network_allowance_ns(app.network_allowance.count());
  proto.set_preprocess_ns(app.preprocess.count());

  for (const DeviceKind kind : app.device_kinds)
    proto.add_device_kinds(static_cast<v1::DeviceKind>(kind));

  return proto;
}

Result<Application> FromProto(const v1::Application& proto) {
  Reader reader("Application");
  reader.Present("arrival", proto.has_arrival());
  reader.Present("objective", proto.has_objective());

  Application app;
  app.name = AppId(proto.name());
  app.model = proto.model();
  app.tenant = proto.tenant();
  app.priority = proto.priority();
  app.rate_rps = proto.rate_rps();
  app.rate_source = reader.Enumerator<RateSource>("rate_source", proto.rate_source(), v1::RateSource_IsValid);
  app.arrival = ReadArrival(proto.arrival(), reader);
  app.objective = ReadObjective(proto.objective(), reader);
  app.network_allowance = Duration(proto.network_allowance_ns());
  app.preprocess = Duration(proto.preprocess_ns());

  for (const int kind : proto.device_kinds()) {
    app.device_kinds.push_back(reader.Enumerator<DeviceKind>("device_kinds", kind, v1::DeviceKind_IsValid));
  }

  return reader.Finish(std::move(app));
}

AVOCET_BYTES(Application)

} // namespace avocet

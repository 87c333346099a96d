#include "actors/wire/link_codec.h"

#include <utility>

#include "actors/wire/control_codec.h"
#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"
#include "messages/text.h"

namespace avocet {
namespace {

v1::ProfileOrder OrderToProto(const ProfileOnDevice& profile) {
  v1::ProfileOrder proto;
  proto.set_device(profile.device.str());
  proto.set_model(profile.model.str());
  proto.set_format(static_cast<v1::ModelFormat>(profile.variant.format));
  proto.set_file(profile.variant.file.str());
  proto.set_size_bytes(profile.variant.size_bytes);
  for (const SampleInput& sample : profile.samples)
    *proto.add_samples() = ToProto(sample);
  return proto;
}

Result<LinkRequest> ReadOrder(const v1::ProfileOrder& proto) {
  Reader reader("ProfileOrder");
  ProfileOnDevice profile{DeviceId(proto.device()), ModelId(proto.model()), {}};
  profile.variant = {.format = reader.Enumerator<ModelFormat>("format", proto.format(), v1::ModelFormat_IsValid),
                     .file = Sha256(proto.file()),
                     .size_bytes = proto.size_bytes()};
  for (const auto& part : proto.samples()) {
    auto sample = FromProto(part);
    reader.Part("samples", sample.status());
    if (sample.ok()) profile.samples.push_back(std::move(*sample));
  }
  if (static_cast<size_t>(proto.samples_size()) > kMaxSamples) reader.Fail("samples", "more than 256");
  if (!IsDeviceId(profile.device)) reader.Fail("device", "not <node>/<device>");
  if (!IsModelId(profile.model)) reader.Fail("model", "not <name>:<version>");
  if (!IsSha256(profile.variant.file)) reader.Fail("file", "not a sha256 digest");
  if (auto status = reader.status(); !status.ok()) return status;
  return LinkRequest(std::move(profile));
}

/// The numbers of Status, or a defect of the peer.
Result<StatusCode> ReadCode(int32_t code) {
  if (code >= static_cast<int32_t>(StatusCode::kOk) && code <= static_cast<int32_t>(StatusCode::kInternal))
    return static_cast<StatusCode>(code);
  return Corruption("message Answer, field 'code': the unknown code " + std::to_string(code));
}

} // namespace

v1::Hello ToProto(const LinkHello& hello) {
  v1::Hello proto;
  proto.set_protocol(kLinkProtocol);
  *proto.mutable_node() = ToProto(hello.node);
  for (const auto& app : hello.running)
    *proto.add_running() = ToProto(app);
  proto.set_instance(hello.instance);
  proto.set_highest_epoch(hello.highest_epoch);
  proto.set_cluster(hello.cluster);
  return proto;
}

Result<LinkHello> FromProto(const v1::Hello& proto) {
  if (proto.protocol() != kLinkProtocol)
    return Unsupported("the agent speaks version " + std::to_string(proto.protocol()) +
                       " of the link, this controller version " + std::to_string(kLinkProtocol));
  AVOCET_ASSIGN_OR_RETURN(auto node, FromProto(proto.node()));
  LinkHello hello{std::move(node), {}, proto.instance(), proto.highest_epoch(), proto.cluster()};
  for (const auto& one : proto.running()) {
    AVOCET_ASSIGN_OR_RETURN(auto app, FromProto(one));
    hello.running.push_back(std::move(app));
  }
  return hello;
}

v1::SentWindow ToProto(const SentWindow& window) {
  v1::SentWindow proto;
  *proto.mutable_window() = ToProto(window.window);
  proto.set_oldest_sequence(window.oldest);
  return proto;
}

Result<SentWindow> FromProto(const v1::SentWindow& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto window, FromProto(proto.window()));
  if (proto.oldest_sequence() > window.sequence)
    return Corruption("message SentWindow, field 'oldest_sequence': after the window itself");
  return SentWindow{std::move(window), proto.oldest_sequence()};
}

v1::WindowAck ToProto(const WindowAck& ack) {
  v1::WindowAck proto;
  proto.set_device(ack.device.str());
  proto.set_boot(ack.boot.str());
  proto.set_sequence(ack.sequence);
  return proto;
}

Result<WindowAck> FromProto(const v1::WindowAck& proto) {
  WindowAck ack{DeviceId(proto.device()), BootId(proto.boot()), proto.sequence()};
  if (!IsDeviceId(ack.device)) return Corruption("message WindowAck, field 'device': not <node>/<device>");
  return ack;
}

v1::Predictions ToProto(const SetPredictions& predictions) {
  v1::Predictions proto;
  proto.set_device(predictions.device.str());

  for (const auto& one : predictions.apps) {
    auto& app = *proto.add_apps();
    app.set_app(one.app.str());
    *app.mutable_latency() = ToProto(one.latency);
  }

  for (const auto& one : predictions.objectives) {
    auto& objective = *proto.add_objectives();
    objective.set_app(one.app.str());
    objective.set_limit_ns(one.limit.count());
  }

  return proto;
}

Result<SetPredictions> FromProto(const v1::Predictions& proto) {
  Reader reader("Predictions");
  SetPredictions predictions{DeviceId(proto.device()), {}};
  if (!IsDeviceId(predictions.device)) reader.Fail("device", "not <node>/<device>");

  // What the peer sends is not trusted: sizes are bounded before anything is copied.
  if (static_cast<size_t>(proto.apps_size()) > kMaxAppsPerDevice) reader.Fail("apps", "too many");
  for (const auto& one : proto.apps()) {
    if (!IsName(one.app())) reader.Fail("app", "not a name");
    // At the first bad element, or a huge list would be read to its end for nothing.
    if (!reader.status().ok()) return reader.status();
    AVOCET_ASSIGN_OR_RETURN(const auto latency, FromProto(one.latency()));
    predictions.apps.push_back({AppId(one.app()), latency});
  }

  if (static_cast<size_t>(proto.objectives_size()) > kMaxAppsPerDevice) reader.Fail("objectives", "too many");
  for (const auto& one : proto.objectives()) {
    if (!IsName(one.app())) reader.Fail("objectives.app", "not a name");
    if (one.limit_ns() <= 0) reader.Fail("objectives.limit_ns", "not > 0");
    if (!reader.status().ok()) return reader.status();
    predictions.objectives.push_back({AppId(one.app()), Duration(one.limit_ns())});
  }

  if (!reader.status().ok()) return reader.status();
  return predictions;
}

v1::Request ToProto(const LinkRequest& request) {
  v1::Request proto;
  if (const auto* run = std::get_if<RunCommand>(&request))
    *proto.mutable_command() = ToProto(run->command);
  else
    *proto.mutable_profile() = OrderToProto(std::get<ProfileOnDevice>(request));
  return proto;
}

Result<LinkRequest> FromProto(const v1::Request& proto) {
  switch (proto.body_case()) {
  case v1::Request::kCommand: {
    AVOCET_ASSIGN_OR_RETURN(auto command, FromProto(proto.command()));
    return LinkRequest(RunCommand{std::move(command)});
  }
  case v1::Request::kProfile:
    return ReadOrder(proto.profile());
  case v1::Request::BODY_NOT_SET:
    break;
  }
  return Unsupported("a request that this version does not know; upgrade the agent");
}

v1::Answer ToProto(const LinkAnswer& answer) {
  v1::Answer proto;
  proto.set_code(static_cast<int32_t>(answer.status.code()));
  proto.set_text(ToText(answer.status.message()));
  if (answer.profile) *proto.mutable_profile() = ToProto(*answer.profile);
  return proto;
}

Result<LinkAnswer> FromProto(const v1::Answer& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto code, ReadCode(proto.code()));
  if (code != StatusCode::kOk) return LinkAnswer{Status(code, ToText(proto.text())), {}};
  if (!proto.has_profile()) return LinkAnswer{};
  AVOCET_ASSIGN_OR_RETURN(auto profile, FromProto(proto.profile()));
  return LinkAnswer{{}, std::move(profile)};
}

} // namespace avocet

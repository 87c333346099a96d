#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"

namespace avocet {

v1::Command ToProto(const Command& command) {
  v1::Command proto;
  proto.set_kind(static_cast<v1::CommandKind>(command.kind));
  proto.set_epoch(command.epoch);
  proto.set_device(command.device.str());
  proto.set_app(command.app.str());
  proto.set_model(command.model.str());
  proto.set_format(static_cast<v1::ModelFormat>(command.format));
  proto.set_file(command.file.str());
  proto.set_size_bytes(command.size_bytes);
  return proto;
}

Result<Command> FromProto(const v1::Command& proto) {
  Reader reader("Command");
  Command command;
  command.kind = reader.Enumerator<CommandKind>("kind", proto.kind(), v1::CommandKind_IsValid);
  command.epoch = proto.epoch();
  command.device = DeviceId(proto.device());
  command.app = AppId(proto.app());
  command.model = ModelId(proto.model());
  command.format = reader.Enumerator<ModelFormat>("format", proto.format(), v1::ModelFormat_IsValid);
  command.file = Sha256(proto.file());
  command.size_bytes = proto.size_bytes();
  return reader.Finish(std::move(command));
}

v1::Event ToProto(const Event& event) {
  v1::Event proto;
  proto.set_sequence(event.sequence);
  proto.set_at_ns(ToNanos(event.at));
  proto.set_kind(event.kind);
  proto.set_subject(event.subject);
  proto.set_detail(event.detail);
  return proto;
}

Result<Event> FromProto(const v1::Event& proto) {
  Reader reader("Event");
  Event event;
  event.sequence = proto.sequence();
  event.at = WallTimeOf(proto.at_ns());
  event.kind = proto.kind();
  event.subject = proto.subject();
  event.detail = proto.detail();
  return reader.Finish(std::move(event));
}

v1::Removal ToProto(const Removal& removal) {
  v1::Removal proto;
  proto.set_app(removal.app.str());
  proto.set_epoch(removal.epoch);
  return proto;
}

Result<Removal> FromProto(const v1::Removal& proto) {
  Reader reader("Removal");
  return reader.Finish(Removal{AppId(proto.app()), proto.epoch()});
}

AVOCET_BYTES(Command)
AVOCET_BYTES(Event)
AVOCET_BYTES(Removal)

} // namespace avocet

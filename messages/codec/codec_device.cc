#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"

namespace avocet {

v1::DeviceSpec ToProto(const DeviceSpec& device) {
  v1::DeviceSpec proto;
  proto.set_node(device.node.str());
  proto.set_name(device.name);
  proto.set_kind(static_cast<v1::DeviceKind>(device.kind));
  proto.set_discipline(static_cast<v1::Discipline>(device.discipline));
  proto.set_engine(static_cast<v1::EngineKind>(device.engine));
  proto.set_type(device.type);
  proto.set_memory_bytes(device.memory_bytes);
  for (const int core : device.cores)
    proto.add_cores(core);
  return proto;
}

Result<DeviceSpec> FromProto(const v1::DeviceSpec& proto) {
  Reader reader("DeviceSpec");
  DeviceSpec device;
  device.node = NodeId(proto.node());
  device.name = proto.name();
  device.kind = reader.Enumerator<DeviceKind>("kind", proto.kind(), v1::DeviceKind_IsValid);
  device.discipline = reader.Enumerator<Discipline>("discipline", proto.discipline(), v1::Discipline_IsValid);
  device.engine = reader.Enumerator<EngineKind>("engine", proto.engine(), v1::EngineKind_IsValid);
  device.type = proto.type();
  device.memory_bytes = proto.memory_bytes();
  device.cores.assign(proto.cores().begin(), proto.cores().end());
  return reader.Finish(std::move(device));
}

v1::NodeInfo ToProto(const NodeInfo& node) {
  v1::NodeInfo proto;
  proto.set_id(node.id.str());
  proto.set_boot(node.boot.str());
  proto.set_version(node.version);
  proto.set_grpc_address(node.grpc_address);
  proto.set_rest_address(node.rest_address);
  proto.set_cpu_cores(node.cpu_cores);
  proto.set_core_speed(node.core_speed);
  for (const DeviceSpec& device : node.devices)
    *proto.add_devices() = ToProto(device);
  return proto;
}

Result<NodeInfo> FromProto(const v1::NodeInfo& proto) {
  Reader reader("NodeInfo");

  NodeInfo node;
  node.id = NodeId(proto.id());
  node.boot = BootId(proto.boot());
  node.version = proto.version();
  node.grpc_address = proto.grpc_address();
  node.rest_address = proto.rest_address();
  node.cpu_cores = proto.cpu_cores();
  // Absent means nominal: a missing number must not be read as a speed of 0.
  if (proto.has_core_speed()) node.core_speed = proto.core_speed();

  // One bad device refuses the whole node, and is named: half a node would place on what it does not have.
  for (const auto& device_proto : proto.devices()) {
    Result<DeviceSpec> device = FromProto(device_proto);
    reader.Part("devices", device.status());
    if (device.ok()) node.devices.push_back(*std::move(device));
  }

  return reader.Finish(std::move(node));
}

AVOCET_BYTES(DeviceSpec)
AVOCET_BYTES(NodeInfo)

} // namespace avocet

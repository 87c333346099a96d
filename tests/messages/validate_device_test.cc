#include "messages/device.h"

#include <cmath>
#include <numeric>

#include "tests/messages/samples.h"
#include "tests/messages/validate_cases.h"

namespace avocet {
namespace {

std::vector<int> Cores(int count) {
  std::vector<int> cores(static_cast<size_t>(count));
  std::iota(cores.begin(), cores.end(), 0);
  return cores;
}

std::vector<DeviceSpec> Devices(size_t count) {
  std::vector<DeviceSpec> devices;
  while (devices.size() < count)
    devices.push_back(SampleDevice("d" + std::to_string(devices.size())));
  return devices;
}

TEST(ValidateDevice, NamesTheFirstBrokenRule) {
  ExpectValidate<DeviceSpec>(
      SampleDevice(),
      {{[](auto& d) { d.node = NodeId("a b"); }, "device 'gpu0': field 'node' is 'a b'"},
       {[](auto& d) { d.name = "a/b"; }, "field 'name' is 'a/b'"},
       {[](auto& d) { d.discipline = Discipline::kTimeShared; }, ""},
       {[](auto& d) { d.discipline = Discipline::kMultiServer; }, "is 'multi_server'; it must be fifo or time_shared"},
       {[](auto& d) { d.discipline = Discipline::kProcessorSharing; }, "field 'discipline'"},
       {[](auto& d) { d.type = ""; }, "field 'type'"},
       {[](auto& d) { d.memory_bytes = 1; }, ""},
       {[](auto& d) { d.memory_bytes = 0; }, "field 'memory_bytes' is 0"},
       {[](auto& d) { d.memory_bytes = kMaxMemoryBytes; }, ""},
       {[](auto& d) { d.memory_bytes = kMaxMemoryBytes + 1; }, "field 'memory_bytes'"},
       {[](auto& d) { d.cores = Cores(kMaxCores); }, ""},
       {[](auto& d) { d.cores = Cores(kMaxCores + 1); }, "field 'cores' is a list of 4097"},
       {[](auto& d) {
          d.cores = {1, 2, 1};
        },
        "field 'cores' is a list with a core twice"},
       {[](auto& d) { d.cores = {-1}; }, "field 'cores'"},
       {[](auto& d) { d.cores = {kMaxCores}; }, "field 'cores'"}});
}

TEST(ValidateNode, NamesTheFirstBrokenRule) {
  ExpectValidate<NodeInfo>(
      SampleNode(),
      {{[](auto& n) { n.id = NodeId(); }, "node '': field 'id'"},
       {[](auto& n) { n.boot = BootId(); }, "node 'jetson-1': field 'boot'"},
       {[](auto& n) { n.version = ""; }, ""},
       {[](auto& n) { n.version = "1\n"; }, "field 'version'"},
       {[](auto& n) { n.cpu_cores = 0; }, "field 'cpu_cores' is 0; it must be 1 to 4096"},
       {[](auto& n) { n.cpu_cores = kMaxCores; }, ""},
       {[](auto& n) { n.cpu_cores = kMaxCores + 1; }, "field 'cpu_cores'"},
       {[](auto& n) { n.core_speed = 1e-3; }, ""},
       {[](auto& n) { n.core_speed = 0; }, "field 'core_speed' is 0; it must be 0.001 to 1000"},
       {[](auto& n) { n.core_speed = std::nan(""); }, "field 'core_speed' is nan"},
       {[](auto& n) { n.devices.clear(); }, "field 'devices' is empty"},
       {[](auto& n) { n.devices = Devices(kMaxDevicesPerNode); }, ""},
       {[](auto& n) { n.devices = Devices(kMaxDevicesPerNode + 1); }, "field 'devices' is a list of 65"},
       {[](auto& n) { n.devices[1].memory_bytes = 0; }, "node 'jetson-1': device 'gpu0': field 'memory_bytes'"},
       {[](auto& n) { n.devices[1].node = NodeId("other"); }, "is 'other/gpu0'; it must be devices of this node"},
       {[](auto& n) { n.devices[1].name = "cpu0"; }, "is 'cpu0'; it must be devices of distinct names"}});
}

TEST(ValidateNode, WantsAnAddressWithAPort) {
  NodeInfo node = SampleNode();
  for (const char* good : {"", "h:1", "127.0.0.1:65535", "[::1]:8001", "jetson-1.local:8001"}) {
    node.grpc_address = node.rest_address = good;
    EXPECT_EQ(Validate(node), Status()) << good;
  }
  for (const char* bad : {"h", ":1", "h:", "h:0", "h:65536", "h:-1", "h:1x", "h: 1", "h\n:1"}) {
    node.rest_address = bad;
    node.grpc_address.clear();
    EXPECT_THAT(Validate(node).message(), testing::HasSubstr("field 'rest_address'")) << bad;
    node.grpc_address = bad;
    EXPECT_THAT(Validate(node).message(), testing::HasSubstr("field 'grpc_address'")) << bad;
  }
}

TEST(DeviceSpec, KnowsItsIdAndWhetherItIsEmulated) {
  DeviceSpec device = SampleDevice();
  EXPECT_EQ(device.id(), DeviceId("jetson-1/gpu0"));
  EXPECT_FALSE(device.emulated());
  device.engine = EngineKind::kEmulated;
  EXPECT_TRUE(device.emulated());
}

} // namespace
} // namespace avocet

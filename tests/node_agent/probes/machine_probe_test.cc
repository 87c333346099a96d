#include "node_agent/probes/machine_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/engines/shared_library.h"
#include "node_agent/probes/sysfs.h"
#include "tests/node_agent/engines/fake_edgetpu.h"
#include "tests/node_agent/probes/fake_nvml.h"
#include "tests/support/fake_tree.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(Sysfs, ReadsTextAndNumbersOrNothing) {
  const FakeTree tree;
  tree.Write("text", std::string(" two words\n\0", 12));
  tree.Write("decimal", "-42\n");
  tree.Write("hex", "0x10de\n");
  tree.Write("mixed", "12 apples");
  tree.Write("empty", "");
  EXPECT_EQ(ReadText(tree.root() / "text"), "two words");
  EXPECT_EQ(ReadNumber(tree.root() / "decimal"), -42);
  EXPECT_EQ(ReadNumber(tree.root() / "hex"), 0x10de);
  EXPECT_EQ(ReadText(tree.root() / "empty"), "");
  for (const char* file : {"mixed", "empty", "text", "none"})
    EXPECT_EQ(ReadNumber(tree.root() / file), std::nullopt) << file;
  EXPECT_EQ(ReadText(tree.root() / "none"), std::nullopt);
  EXPECT_EQ(ReadText(tree.root()), std::nullopt) << "a folder";
  EXPECT_THAT(ListFolder(tree.root() / "none"), IsEmpty());
}

// ---- heat, clocks, memory ----

TEST(HostProbe, ThermalZonesKnowWhenTheyAreTooHot) {
  const FakeTree tree;
  tree.Write("sys/class/thermal/thermal_zone0/type", "CPU-therm\n");
  tree.Write("sys/class/thermal/thermal_zone0/temp", "97500\n");
  tree.Write("sys/class/thermal/thermal_zone0/trip_point_0_type", "critical\n");
  tree.Write("sys/class/thermal/thermal_zone0/trip_point_0_temp", "102500\n");
  tree.Write("sys/class/thermal/thermal_zone0/trip_point_1_type", "passive\n");
  tree.Write("sys/class/thermal/thermal_zone0/trip_point_1_temp", "97000\n");
  tree.Write("sys/class/thermal/thermal_zone1/type", "GPU-therm\n");
  tree.Write("sys/class/thermal/thermal_zone1/temp", "41000\n");
  tree.Write("sys/class/thermal/thermal_zone2/type", "asleep\n"); // its sensor cannot be read
  const auto zones = ReadThermalZones(tree.root());
  ASSERT_EQ(zones.size(), 2u);
  EXPECT_EQ(zones[0].type, "CPU-therm");
  EXPECT_DOUBLE_EQ(zones[0].celsius, 97.5);
  EXPECT_THAT(zones[0].passive_celsius, Optional(97.0));
  EXPECT_TRUE(zones[0].is_too_hot());
  EXPECT_DOUBLE_EQ(zones[1].celsius, 41);
  EXPECT_FALSE(zones[1].is_too_hot());
}

TEST(HostProbe, ReadsGovernorsThrottlingAndFreeMemory) {
  const FakeTree tree;
  tree.WriteSmallPc();
  for (const auto& [core, governor] : {std::pair{"cpu0", "powersave\n"}, {"cpu1", "powersave\n"}})
    tree.Write(std::string("sys/devices/system/cpu/") + core + "/cpufreq/scaling_governor", governor);
  tree.Write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n");
  tree.Write("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "4\n");
  tree.Write("sys/class/thermal/cooling_device0/type", "Processor\n");
  tree.Write("sys/class/thermal/cooling_device0/cur_state", "2\n");
  tree.Write("sys/class/thermal/cooling_device1/type", "pwm-fan\n");
  tree.Write("sys/class/thermal/cooling_device1/cur_state", "3\n");
  tree.Write("sys/class/thermal/cooling_device2/type", "Processor\n");
  tree.Write("sys/class/thermal/cooling_device2/cur_state", "0\n");
  const auto state = ReadHostState(tree.root());
  EXPECT_THAT(state.governors, ElementsAre("powersave"));
  EXPECT_EQ(state.throttle_events, 7);
  EXPECT_THAT(state.cooling, ElementsAre("Processor")) << "a fan that turns slows nothing down";
  EXPECT_EQ(state.memory_available_bytes, 6000000ULL * 1024);
}

TEST(HostProbe, AnEmptyTreeSaysNothing) {
  const FakeTree tree;
  const auto state = ReadHostState(tree.root());
  EXPECT_THAT(state.governors, IsEmpty());
  EXPECT_EQ(state.throttle_events, 0);
  EXPECT_EQ(state.memory_available_bytes, 0u);
  EXPECT_THAT(ReadThermalZones(tree.root()), IsEmpty());
  EXPECT_FALSE(ProbeJetson(tree.root()));
}

TEST(HostProbe, CountsWhatIsPluggedIn) {
  const FakeTree tree;
  const auto pci = [&](const std::string& slot, const std::string& vendor, const std::string& device_class) {
    tree.Write("sys/bus/pci/devices/" + slot + "/vendor", vendor);
    tree.Write("sys/bus/pci/devices/" + slot + "/class", device_class);
  };
  pci("0000:01:00.0", "0x10de\n", "0x030000\n");
  pci("0000:01:00.1", "0x10de\n", "0x040300\n"); // the same board's sound
  pci("0000:02:00.0", "0x10de\n", "0x030200\n");
  pci("0000:03:00.0", "0x1ac1\n", "0x0880ff\n");
  pci("0000:00:02.0", "0x8086\n", "0x030000\n");
  const auto usb = [&](const std::string& port, const std::string& vendor, const std::string& product) {
    tree.Write("sys/bus/usb/devices/" + port + "/idVendor", vendor);
    tree.Write("sys/bus/usb/devices/" + port + "/idProduct", product);
  };
  usb("1-1", "1a6e\n", "089a\n");
  usb("2-1", "18d1\n", "9302\n");
  usb("2-2", "18d1\n", "4ee7\n"); // a telephone
  const auto found = ReadBuses(tree.root());
  EXPECT_EQ(found.nvidia_gpus, 2);
  EXPECT_EQ(found.coral_pcie, 1);
  EXPECT_EQ(found.coral_usb, 2);
}

// ---- Jetson ----

TEST(Jetson, IsKnownByItsDeviceTreeAndTellsItsLoad) {
  const FakeTree tree;
  tree.WriteJetsonNano();
  const auto jetson = ProbeJetson(tree.root());
  ASSERT_TRUE(jetson);
  EXPECT_EQ(jetson->model, "NVIDIA Jetson Nano Developer Kit");
  EXPECT_EQ(jetson->release, "# R32 (release), REVISION: 7.1, GCID: 29818004");
  EXPECT_THAT(ReadGpuLoad(*jetson), Optional(testing::DoubleEq(0.352)));
}

TEST(Jetson, FindsTheLoadWhereEachGenerationHasIt) {
  for (const std::string file :
       {"sys/class/devfreq/17000000.gv11b/device/load", "sys/class/devfreq/17000000.gpu/device/load",
        "sys/devices/gpu.0/load", "sys/devices/platform/gpu.0/load"}) {
    const FakeTree tree;
    tree.Write("proc/device-tree/model", "NVIDIA Jetson AGX\n");
    tree.Write(file, "1000\n");
    const auto jetson = ProbeJetson(tree.root());
    ASSERT_TRUE(jetson) << file;
    EXPECT_THAT(ReadGpuLoad(*jetson), Optional(1.0)) << file;
  }
}

TEST(Jetson, ItsLoadMayBeUnknownAndOtherBoardsAreNone) {
  const FakeTree jetson, board;
  jetson.Write("etc/nv_tegra_release", "# R35\n");
  board.Write("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.1");
  const auto found = ProbeJetson(jetson.root());
  ASSERT_TRUE(found);
  EXPECT_EQ(ReadGpuLoad(*found), std::nullopt);
  EXPECT_FALSE(ProbeJetson(board.root()));
}

// ---- libraries of accelerators, with stand-ins ----

template <class Fake> Fake& FakeIn(const char* library, const char* symbol) {
  Fake* fake = nullptr;
  const auto opened = SharedLibrary::Open(library);
  if (!opened.ok() || !opened->Bind(symbol, fake).ok()) throw std::runtime_error(library);
  *fake = {};
  return *fake;
}

TEST(Nvml, DescribesEveryGpuAndShutsDown) {
  auto& fake = FakeIn<FakeNvml>(AVOCET_FAKE_NVML, "fake_nvml");
  fake.gpus = 2;
  {
    const auto nvml = Nvml::Open(AVOCET_FAKE_NVML);
    ASSERT_TRUE(nvml.ok()) << nvml.status().ToString();
    const auto gpus = (*nvml)->Gpus();
    ASSERT_TRUE(gpus.ok());
    EXPECT_THAT(*gpus, ElementsAre(NvidiaGpu{"NVIDIA Test 0", "GPU-0", "535.183.01", 8ULL << 30},
                                   NvidiaGpu{"NVIDIA Test 1", "GPU-1", "535.183.01", 8ULL << 30}));
    EXPECT_EQ(fake.started, 1);
  }
  EXPECT_EQ(fake.started, 0);
}

TEST(Nvml, ReadsWhatAGpuIsDoingInUnits) {
  auto& fake = FakeIn<FakeNvml>(AVOCET_FAKE_NVML, "fake_nvml");
  fake.gpus = 1;
  const auto nvml = Nvml::Open(AVOCET_FAKE_NVML);
  ASSERT_TRUE(nvml.ok());
  const auto reading = (*nvml)->Read(0);
  ASSERT_TRUE(reading.ok());
  EXPECT_THAT(reading->utilization, Optional(0.42));
  EXPECT_THAT(reading->memory_used_bytes, Optional(2ULL << 30));
  EXPECT_THAT(reading->power_w, Optional(61.5));
  EXPECT_THAT(reading->temperature_c, Optional(83.0));
  EXPECT_THAT(reading->is_too_hot, Optional(false));
  fake.is_too_hot = true;
  EXPECT_THAT((*nvml)->Read(0)->is_too_hot, Optional(true));
  EXPECT_EQ((*nvml)->Read(1).status(), NotFound("no GPU number 1"));
}

TEST(Nvml, WhatABoardCannotTellIsEmpty) {
  auto& fake = FakeIn<FakeNvml>(AVOCET_FAKE_NVML, "fake_nvml");
  fake.gpus = 1;
  fake.is_integrated = true;
  const auto nvml = Nvml::Open(AVOCET_FAKE_NVML);
  ASSERT_TRUE(nvml.ok());
  EXPECT_EQ((*nvml)->Gpus()->front().memory_bytes, 0u);
  const auto reading = (*nvml)->Read(0);
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading->utilization, std::nullopt);
  EXPECT_EQ(reading->memory_used_bytes, std::nullopt);
  EXPECT_EQ(reading->power_w, std::nullopt);
  EXPECT_THAT(reading->temperature_c, Optional(83.0));
}

TEST(Nvml, SaysWhyThereIsNone) {
  auto& fake = FakeIn<FakeNvml>(AVOCET_FAKE_NVML, "fake_nvml");
  fake.has_no_driver = true;
  EXPECT_EQ(Nvml::Open(AVOCET_FAKE_NVML).status(), Unavailable("NVIDIA's driver: start: Driver Not Loaded"));
  EXPECT_EQ(fake.started, 0);
  EXPECT_EQ(Nvml::Open("libavocet-no-such.so.1").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Nvml::Open(AVOCET_NOT_AN_ENGINE).status().code(), StatusCode::kUnsupported);
}

TEST(Coral, ListsItsAcceleratorsAndReadsTheTemperatureOfBoards) {
  auto& fake = FakeIn<FakeEdgeTpu>(AVOCET_FAKE_EDGETPU, "fake_edgetpu");
  fake.pcie_devices = 1;
  fake.usb_devices = 1;
  const FakeTree tree;
  tree.Write("sys/class/apex/apex_0/temp", "48050\n");
  const auto runtime = ProbeCoral(AVOCET_FAKE_EDGETPU, tree.root());
  ASSERT_TRUE(runtime.ok()) << runtime.status().ToString();
  EXPECT_EQ(runtime->version, "fake runtime 1");
  ASSERT_EQ(runtime->devices.size(), 2u);
  EXPECT_EQ(runtime->devices[0].bus, CoralDevice::Bus::kPcie);
  EXPECT_EQ(runtime->devices[0].path, "/dev/apex_0");
  EXPECT_THAT(runtime->devices[0].temperature_c, Optional(48.05));
  EXPECT_EQ(runtime->devices[1].bus, CoralDevice::Bus::kUsb);
  EXPECT_EQ(runtime->devices[1].temperature_c, std::nullopt);
}

TEST(Coral, ARuntimeWithoutAcceleratorsIsNoError) {
  FakeIn<FakeEdgeTpu>(AVOCET_FAKE_EDGETPU, "fake_edgetpu");
  const auto runtime = ProbeCoral(AVOCET_FAKE_EDGETPU);
  ASSERT_TRUE(runtime.ok());
  EXPECT_THAT(runtime->devices, IsEmpty());
  EXPECT_EQ(ProbeCoral("libavocet-no-such.so.1").status().code(), StatusCode::kNotFound);
}

// ---- all together ----

TEST(ProbeMachine, AMissingAcceleratorIsNoFailureButAMissingProcessorIs) {
  const FakeTree tree;
  const ProbeOptions options{tree.root(), "libavocet-no-such.so.1", "libavocet-no-such.so.1"};
  EXPECT_FALSE(ProbeMachine(options).ok());
  tree.WriteSmallPc();
  const auto machine = ProbeMachine(options);
  ASSERT_TRUE(machine.ok()) << machine.status().ToString();
  EXPECT_EQ(machine->cpu.model, "Intel(R) N100");
  EXPECT_THAT(machine->gpus, IsEmpty());
  EXPECT_EQ(machine->nvml.code(), StatusCode::kNotFound);
  EXPECT_EQ(machine->coral_runtime.code(), StatusCode::kNotFound);
}

TEST(ProbeMachine, DescribesThisMachine) {
  const auto machine = ProbeMachine();
  ASSERT_TRUE(machine.ok()) << machine.status().ToString();
  EXPECT_GT(machine->host.memory_available_bytes, 0u);
}

TEST(DeviceType, OfAnAcceleratorNamesItsHardware) {
  DeviceSpec gpu, tpu, cpu;
  gpu.kind = DeviceKind::kGpu;
  gpu.engine = EngineKind::kOnnx;
  tpu.kind = DeviceKind::kEdgeTpu;
  cpu.cores = {1};
  Machine machine;
  machine.cpu.model = "Intel(R) N100";
  EXPECT_EQ(DeviceType(cpu, machine), "cpu/tflite/intel-n100/1core");
  EXPECT_EQ(DeviceType(gpu, machine), "gpu/onnx/unknown");
  EXPECT_EQ(DeviceType(tpu, machine), "edgetpu/tflite/unknown");
  machine.gpus.push_back({"NVIDIA GeForce RTX 3060", "", "", 0});
  machine.coral.devices.push_back({CoralDevice::Bus::kUsb, "", {}});
  EXPECT_EQ(DeviceType(gpu, machine), "gpu/onnx/nvidia-geforce-rtx-3060");
  EXPECT_EQ(DeviceType(tpu, machine), "edgetpu/tflite/coral-usb");
  machine.jetson = Jetson{"NVIDIA Jetson Nano Developer Kit", "", {}};
  EXPECT_EQ(DeviceType(gpu, machine), "gpu/onnx/nvidia-jetson-nano-developer-kit");
  gpu.engine = EngineKind::kEmulated;
  EXPECT_EQ(DeviceType(gpu, machine), "gpu/emulated");
}

} // namespace
} // namespace avocet

#include "cli/config/machine_check.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

Machine TwoCores() {
  Machine machine;
  machine.cpu = {.model = "n100", .cores = {0, 1}, .memory_bytes = 1000 * kMiB};
  return machine;
}

DeviceConfig Cpu(const std::string& name, int core, int memory_mb) {
  return {.name = name, .memory_mb = memory_mb, .cores = {core}};
}

TEST(MachineCheck, WhatIsThereCanBeTaken) {
  EXPECT_EQ(CheckMachineHas({Cpu("cpu0", 0, 500), Cpu("cpu1", 1, 500)}, TwoCores()), Status());
}

TEST(MachineCheck, NamesACoreThatIsNotThere) {
  EXPECT_EQ(CheckMachineHas({Cpu("cpu0", 7, 10)}, TwoCores()),
            InvalidArgument("device 'cpu0': field 'cores' names core 7; this machine has cores 0, 1"));
}

TEST(MachineCheck, NamesMemoryThatIsNotThere) {
  EXPECT_EQ(CheckMachineHas({Cpu("cpu0", 0, 1001)}, TwoCores()),
            InvalidArgument("device 'cpu0': field 'memory_mb' is 1001; this machine has 1000 MiB"));
  EXPECT_EQ(CheckMachineHas({Cpu("cpu0", 0, 501), Cpu("cpu1", 1, 500)}, TwoCores()),
            InvalidArgument("the cpu devices' fields 'memory_mb' come to 1001 together; this machine has 1000 MiB"));
}

TEST(MachineCheck, AGpuHasItsOwnMemory) {
  const DeviceConfig gpu{.name = "gpu0", .kind = DeviceKind::kGpu, .engine = EngineKind::kOnnx, .memory_mb = 4000};
  Machine machine = TwoCores();
  EXPECT_EQ(CheckMachineHas({gpu}, machine).code(), StatusCode::kInvalidArgument) << "as much as the machine has";
  machine.gpus = {NvidiaGpu{.memory_bytes = 4000 * kMiB}};
  EXPECT_EQ(CheckMachineHas({gpu}, machine), Status());
  machine.gpus = {NvidiaGpu{.memory_bytes = 3999 * kMiB}};
  EXPECT_EQ(CheckMachineHas({gpu}, machine),
            InvalidArgument("device 'gpu0': field 'memory_mb' is 4000; the GPU has 3999 MiB"));
}

TEST(MachineCheck, EmulatedDevicesTakeNothing) {
  const DeviceConfig emulated{
      .name = "cpu0", .engine = EngineKind::kEmulated, .memory_mb = kMaxDeviceMemoryMb, .cores = {99}};
  EXPECT_EQ(CheckMachineHas({emulated}, TwoCores()), Status());
}

} // namespace
} // namespace avocet

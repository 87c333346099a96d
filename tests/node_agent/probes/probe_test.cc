#include "node_agent/probes/cpu_probe.h"

#include <sched.h>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

constexpr std::string_view kX86 = "processor\t: 0\n"
                                  "vendor_id\t: GenuineIntel\n"
                                  "cpu family\t: 6\n"
                                  "model\t\t: 143\n"
                                  "model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\n"
                                  "power management:\n"
                                  "\n"
                                  "processor\t: 1\n"
                                  "model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\n";

constexpr std::string_view kRaspberryPi4 = "processor\t: 0\n"
                                           "BogoMIPS\t: 108.00\n"
                                           "Features\t: fp asimd evtstrm crc32 cpuid\n"
                                           "CPU implementer\t: 0x41\n"
                                           "CPU architecture: 8\n"
                                           "CPU variant\t: 0x0\n"
                                           "CPU part\t: 0xd08\n"
                                           "CPU revision\t: 3\n"
                                           "\n"
                                           "Hardware\t: BCM2835\n"
                                           "Model\t\t: Raspberry Pi 4 Model B Rev 1.1\n";

constexpr std::string_view kBigLittle = "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd03\n\n"
                                        "processor : 4\nCPU implementer : 0x41\nCPU part : 0xd09\n";

TEST(ParseCpuModel, ReadsX86) {
  EXPECT_EQ(ParseCpuModel(kX86), "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz");
}

TEST(ParseCpuModel, KnowsArmPartsByNumber) {
  EXPECT_EQ(ParseCpuModel(kRaspberryPi4), "Cortex-A72");
  EXPECT_EQ(ParseCpuModel(kBigLittle), "Cortex-A73");
  EXPECT_EQ(ParseCpuModel("CPU implementer : 0x41\nCPU part : 0xfff\n"), "arm 0x41/0xfff");
}

TEST(ParseCpuModel, FallsBackToTheBoardThenToUnknown) {
  EXPECT_EQ(ParseCpuModel("Hardware : BCM2835\n"), "BCM2835");
  EXPECT_EQ(ParseCpuModel("uarch : sifive,u74-mc"), "sifive,u74-mc");
  EXPECT_EQ(ParseCpuModel(""), "unknown");
  EXPECT_EQ(ParseCpuModel("model name\t:\nno colon here"), "unknown");
}

TEST(ParseCoreList, ReadsRangesAndSingles) {
  EXPECT_THAT(*ParseCoreList("0-3,6\n"), testing::ElementsAre(0, 1, 2, 3, 6));
  EXPECT_THAT(*ParseCoreList("0"), testing::ElementsAre(0));
  EXPECT_THAT(*ParseCoreList("5,0-1,1"), testing::ElementsAre(0, 1, 5));
}

TEST(ParseCoreList, RefusesAnythingElse) {
  for (const char* text : {"", "\n", "a", "1-", "-1", "3-1", "0,,1", "0 1", "0-99999", "99999999999999999999"})
    EXPECT_EQ(ParseCoreList(text).status().code(), StatusCode::kCorruption) << text;
}

TEST(ParseMemTotal, IsInBytes) {
  EXPECT_EQ(*ParseMemTotal("MemTotal:        3884384 kB\nMemFree:  1 kB\n"), 3884384ull * 1024);
  EXPECT_EQ(ParseMemTotal("MemFree: 1 kB\n").status().code(), StatusCode::kCorruption);
  EXPECT_EQ(ParseMemTotal("MemTotal: lots kB\n").status().code(), StatusCode::kCorruption);
}

TEST(DeviceType, SaysWhatServiceTimesDependOn) {
  DeviceSpec cpu;
  cpu.cores = {1};
  EXPECT_EQ(DeviceType(cpu, {"Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", {0, 1}, 1}),
            "cpu/tflite/intel-xeon-platinum-8481c-cpu-2.70ghz/1core");
  cpu.cores = {0, 1};
  EXPECT_EQ(DeviceType(cpu, {"Cortex-A72", {0, 1}, 1}), "cpu/tflite/cortex-a72/2core");
  EXPECT_EQ(DeviceType(cpu, {"|\n", {0, 1}, 1}), "cpu/tflite/unknown/2core");
}

TEST(DeviceType, OfAnEmulatedDeviceDoesNotDependOnTheMachine) {
  DeviceSpec gpu;
  gpu.kind = DeviceKind::kGpu;
  gpu.engine = EngineKind::kEmulated;
  EXPECT_EQ(DeviceType(gpu, {"Cortex-A72", {0}, 1}), "gpu/emulated");
}

TEST(ProbeCpu, DescribesThisMachine) {
  const auto cpu = ProbeCpu();
  ASSERT_TRUE(cpu.ok()) << cpu.status().ToString();
  EXPECT_FALSE(cpu->model.empty());
  EXPECT_GE(cpu->cores.size(), 1u);
  EXPECT_GE(cpu->memory_bytes, 64 * kMiB);
}

TEST(PinThisThread, KeepsTheThreadOnItsCore) {
  std::thread([] {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    int core = 0;
    while (!CPU_ISSET(static_cast<size_t>(core), &allowed))
      ++core;
    const std::vector<int> cores{core};
    ASSERT_TRUE(PinThisThread(cores).ok());
    cpu_set_t now;
    ASSERT_EQ(sched_getaffinity(0, sizeof(now), &now), 0);
    EXPECT_EQ(CPU_COUNT(&now), 1);
    EXPECT_EQ(sched_getcpu(), core);
  }).join();
}

TEST(PinThisThread, NamesCoresThatCannotBeHad) {
  EXPECT_TRUE(PinThisThread({}).ok());
  EXPECT_EQ(PinThisThread(std::vector{-1}), InvalidArgument("core -1 does not exist"));
  EXPECT_EQ(PinThisThread(std::vector{1 << 20}), InvalidArgument("core 1048576 does not exist"));
  const Status status = PinThisThread(std::vector{CPU_SETSIZE - 1});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), testing::StartsWith("cannot run on cores 1023: "));
}

} // namespace
} // namespace avocet

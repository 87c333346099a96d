#include "cli/commands/doctor.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/fake_tree.h"

namespace avocet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

EngineInfo Works(const std::string& version) {
  return {{}, "/opt/avocet/lib/" + version + ".so", version, {}};
}

/// Four cores, both engines, no accelerator.
Examination Pc() {
  Examination pc;
  pc.prefix = "/opt/avocet";
  pc.machine.cpu = {"Intel(R) N100", {0, 1, 2, 3}, 8192 * kMiB};
  pc.machine.host.governors = {"performance"};
  pc.machine.host.memory_available_bytes = 6000 * kMiB;
  pc.machine.nvml = NotFound("no library libnvidia-ml.so.1 on this system");
  pc.machine.coral_runtime = NotFound("no library libedgetpu.so.1 on this system");
  pc.tflite = Works("2.9.0");
  pc.onnx = Works("1.24.3");
  pc.onnx.providers = {{OnnxProvider::kTensorRt, Unsupported("TensorRT: no")},
                       {OnnxProvider::kCuda, Unsupported("CUDA: no")}};
  return pc;
}

Examination Jetson() {
  Examination jetson = Pc();
  jetson.machine.jetson = avocet::Jetson{"NVIDIA Jetson Orin Nano", "# R36", {}};
  return jetson;
}

/// The remark about `subject`; an empty one when there is none.
Remark About(const std::string& subject, const Examination& examination) {
  for (const Remark& remark : Diagnose(examination).remarks)
    if (remark.subject == subject) return remark;
  return {};
}

std::vector<std::string> Names(const Diagnosis& diagnosis) {
  std::vector<std::string> names;
  for (const DeviceConfig& device : diagnosis.devices)
    names.push_back(device.name + " " + std::string(ToString(device.engine)));
  return names;
}

TEST(Doctor, APcServesWithAllCoresButTheFirst) {
  const auto diagnosis = Diagnose(Pc());
  EXPECT_TRUE(diagnosis.is_usable());
  EXPECT_THAT(Names(diagnosis), testing::ElementsAre("cpu0 tflite", "cpu1 tflite", "cpu2 tflite"));
  EXPECT_THAT(diagnosis.devices[0].cores, testing::ElementsAre(1));
  EXPECT_EQ(diagnosis.devices[0].memory_mb, 8192 / 2 / 3);
  for (const Remark& remark : diagnosis.remarks)
    EXPECT_TRUE(remark.level == RemarkLevel::kOk || remark.level == RemarkLevel::kAbsent) << remark.subject;
}

TEST(Doctor, OneCoreIsBetterThanNoneAndManyAreTheOperatorsChoice) {
  Examination small = Pc(), large = Pc();
  small.machine.cpu.cores = {0};
  large.machine.cpu.cores.resize(64);
  for (int i = 0; i < 64; ++i)
    large.machine.cpu.cores[static_cast<size_t>(i)] = i;
  EXPECT_THAT(Diagnose(small).devices.at(0).cores, testing::ElementsAre(0));
  EXPECT_EQ(Diagnose(large).devices.size(), 4u);
}

TEST(Doctor, WithoutEnginesNothingIsUsableAndTheRemedyIsACommand) {
  Examination bare = Pc();
  bare.tflite.status = NotFound("no library /opt/avocet/lib/libtensorflowlite_c.so");
  EXPECT_EQ(About("engine tflite", bare).level, RemarkLevel::kMissing);
  EXPECT_EQ(About("engine tflite", bare).remedy, "deploy/install-engines");
  EXPECT_THAT(Names(Diagnose(bare)), testing::ElementsAre("cpu0 onnx", "cpu1 onnx", "cpu2 onnx"));
  bare.onnx.status = bare.tflite.status;
  EXPECT_FALSE(Diagnose(bare).is_usable());
  EXPECT_THAT(Render(bare, Diagnose(bare), {}), HasSubstr("Nothing here can serve models yet"));
}

TEST(Doctor, WarnsOfWhatMakesServiceTimesUnsteady) {
  Examination pc = Pc();
  pc.machine.host.governors = {"ondemand", "performance"};
  const Remark clock = About("clock speed", pc);
  EXPECT_EQ(clock.level, RemarkLevel::kWarning);
  EXPECT_THAT(clock.text, HasSubstr("ondemand"));
  EXPECT_EQ(clock.remedy, "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
  pc.machine.host.governors = {};
  EXPECT_EQ(About("clock speed", pc).text, "") << "a virtual machine has none";
}

TEST(Doctor, WarnsOfHeatWithTheNumbers) {
  EXPECT_EQ(About("heat", Pc()).text, "");
  Examination pc = Pc();
  pc.machine.thermal_zones = {{"cool", 40, 90}, {"CPU-therm", 97.5, 97}};
  pc.machine.host.cooling = {"cpufreq-cpu0"};
  pc.machine.host.throttle_events = 12;
  pc.machine.gpu_readings = {GpuReading{.temperature_c = 91, .is_too_hot = true}};
  const Remark heat = About("heat", pc);
  EXPECT_EQ(heat.level, RemarkLevel::kWarning);
  EXPECT_THAT(heat.text, AllOf(HasSubstr("CPU-therm is at 98 C, slowed down from 97 C on"), HasSubstr("cpufreq-cpu0"),
                               HasSubstr("12 times"), HasSubstr("GPU 0 is slowed down at 91 C")));
  EXPECT_THAT(heat.text, testing::Not(HasSubstr("cool is")));
}

TEST(Doctor, WarnsOfLittleMemory) {
  Examination pc = Pc();
  pc.machine.host.memory_available_bytes = 200 * kMiB;
  EXPECT_EQ(About("memory", pc).level, RemarkLevel::kWarning);
}

TEST(Doctor, AGpuWithoutItsDriverIsMissingNotAbsent) {
  EXPECT_EQ(About("gpu", Pc()).level, RemarkLevel::kAbsent);
  Examination pc = Pc();
  pc.machine.plugged_in.nvidia_gpus = 1;
  const Remark gpu = About("gpu", pc);
  EXPECT_EQ(gpu.level, RemarkLevel::kMissing);
  EXPECT_THAT(gpu.text, HasSubstr("libnvidia-ml.so.1"));
  EXPECT_THAT(gpu.remedy, HasSubstr("nvidia-driver"));
}

TEST(Doctor, AGpuServesOnlyWithAProviderThatWorks) {
  Examination jetson = Jetson();
  EXPECT_THAT(Names(Diagnose(jetson)), testing::Not(testing::Contains("gpu0 onnx")));
  const Remark missing = About("engine onnx on gpu", jetson);
  EXPECT_EQ(missing.level, RemarkLevel::kMissing);
  EXPECT_EQ(missing.text, "TensorRT: no; CUDA: no");
  EXPECT_THAT(missing.remedy, HasSubstr("/opt/avocet/lib"));
  jetson.onnx.providers[1].status = {};
  EXPECT_EQ(About("engine onnx on gpu", jetson).level, RemarkLevel::kOk);
  EXPECT_THAT(Names(Diagnose(jetson)), testing::Contains("gpu0 onnx"));
}

TEST(Doctor, ADiscreteGpuHasItsOwnMemory) {
  Examination pc = Pc();
  pc.machine.gpus = {{"NVIDIA RTX", "GPU-0", "535", 12288 * kMiB}};
  pc.machine.gpu_readings.resize(1);
  pc.onnx.providers[1].status = {};
  EXPECT_EQ(Diagnose(pc).devices.back().memory_mb, 12288);
}

TEST(Doctor, ACoralNeedsItsRuntimeAndAccess) {
  EXPECT_EQ(About("edgetpu", Pc()).level, RemarkLevel::kAbsent);
  Examination pc = Pc();
  pc.machine.plugged_in.coral_usb = 1;
  EXPECT_EQ(About("edgetpu", pc).level, RemarkLevel::kMissing);
  EXPECT_THAT(About("edgetpu", pc).remedy, HasSubstr("apt-get install libedgetpu1-std"));
  pc.machine.coral_runtime = {};
  EXPECT_THAT(About("edgetpu", pc).remedy, HasSubstr("plugdev"));
  pc.machine.coral = {"BuildLabel", {{CoralDevice::Bus::kUsb, "/sys/bus/usb/devices/2-1", {}}}};
  EXPECT_EQ(About("edgetpu", pc).level, RemarkLevel::kOk);
  EXPECT_THAT(Names(Diagnose(pc)), testing::Contains("tpu0 tflite"));
}

TEST(Doctor, WhatItSuggestsIsAValidAgentFile) {
  Examination all = Jetson();
  all.onnx.providers[0].status = {};
  all.machine.coral.devices = {{CoralDevice::Bus::kPcie, "/dev/apex_0", 45.0}};
  const auto diagnosis = Diagnose(all);
  const std::string text = SuggestedAgentFile("edge-1", diagnosis.devices);
  const auto parsed = ParseAgentConfig(text, "agent.toml");
  ASSERT_TRUE(parsed.ok()) << parsed.status().message() << "\n" << text;
  EXPECT_EQ(parsed->name, "edge-1");
  ASSERT_EQ(parsed->devices.size(), 5u);
  for (size_t i = 0; i < parsed->devices.size(); ++i) {
    EXPECT_EQ(parsed->devices[i].name, diagnosis.devices[i].name);
    EXPECT_EQ(parsed->devices[i].kind, diagnosis.devices[i].kind);
    EXPECT_EQ(parsed->devices[i].engine, diagnosis.devices[i].engine);
    EXPECT_EQ(parsed->devices[i].cores, diagnosis.devices[i].cores);
    EXPECT_EQ(parsed->devices[i].memory_mb, diagnosis.devices[i].memory_mb);
  }
  EXPECT_THAT(Render(all, diagnosis, {}), HasSubstr("[[device]]"));
}

TEST(Doctor, JsonHasEveryRemarkAndReading) {
  Examination pc = Pc();
  pc.machine.host.governors = {"powersave"};
  pc.machine.gpus = {{"NVIDIA RTX", "GPU-0", "535", 12288 * kMiB}};
  pc.machine.gpu_readings = {GpuReading{.utilization = 0.5, .temperature_c = 60}};
  const auto diagnosis = Diagnose(pc);
  const json said = json::parse(Render(pc, diagnosis, {.format = OutputFormat::kJson}));
  EXPECT_EQ(said["v"], 1);
  EXPECT_EQ(said["usable"], true);
  EXPECT_EQ(said["remarks"].size(), diagnosis.remarks.size());
  const json gpu = said["machine"]["nvidia_gpus"][0];
  EXPECT_EQ(gpu["utilization"], 0.5);
  EXPECT_TRUE(gpu["power_w"].is_null());
  EXPECT_EQ(said["engines"]["onnx"]["version"], "1.24.3");
  EXPECT_TRUE(ParseAgentConfig(said["agent_toml"].get<std::string>(), "agent.toml").ok());
}

TEST(Examine, ReadsAMachineAndAnEmptyPrefix) {
  const FakeTree tree;
  const TempDir prefix;
  const ProbeOptions options{tree.root(), "libavocet-no-such.so.1", "libavocet-no-such.so.1"};
  EXPECT_FALSE(Examine(options, prefix.path()).ok()) << "no processor";
  tree.WriteJetsonNano();
  const auto examination = Examine(options, prefix.path());
  ASSERT_TRUE(examination.ok()) << examination.status().ToString();
  EXPECT_EQ(examination->machine.cpu.model, "Cortex-A57");
  EXPECT_FALSE(examination->tflite.status.ok());
  EXPECT_FALSE(examination->onnx.status.ok());
  const auto diagnosis = Diagnose(*examination);
  EXPECT_FALSE(diagnosis.is_usable());
  EXPECT_THAT(Render(*examination, diagnosis, {}), HasSubstr("NVIDIA Jetson Nano Developer Kit"));
}

} // namespace
} // namespace avocet

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/device.h"
#include "messages/status.h"

namespace avocet {

/// The processor of this machine, as the kernel describes it.
struct CpuInfo {
  std::string model;      ///< as printed by the kernel, e.g. "Cortex-A72" or "Intel(R) N100"
  std::vector<int> cores; ///< online, ascending
  uint64_t memory_bytes = 0;
};

/// Reads /proc and /sys below `root`. Errors name the file.
Result<CpuInfo> ProbeCpu(const std::filesystem::path& root = "/");

/// The processor's name in the text of /proc/cpuinfo (x86, arm, riscv); "unknown" when it has none.
std::string ParseCpuModel(std::string_view cpuinfo);
/// "0-3,6" as in /sys/devices/system/cpu/online, ascending; kCorruption for anything else.
Result<std::vector<int>> ParseCoreList(std::string_view text);
/// MemTotal of /proc/meminfo in bytes; kCorruption when absent.
Result<uint64_t> ParseMemTotal(std::string_view meminfo);

/// What stands in DeviceSpec::type: devices of equal type share profiles. Depends on what service
/// times depend on: "cpu/tflite/intel-xeon-platinum-8481c/1core", or "gpu/emulated" where the model
/// itself says how long it takes.
std::string DeviceType(const DeviceSpec& device, const CpuInfo& cpu);

/// A name of hardware as a part of a device's type: "intel-n100" of "Intel(R) N100".
std::string HardwareSlug(std::string name);

/// Lets the calling thread run on these cores only; does nothing for an empty list.
/// kInvalidArgument names the cores that cannot be had.
Status PinThisThread(std::span<const int> cores);

} // namespace avocet

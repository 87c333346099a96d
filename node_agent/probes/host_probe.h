#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace avocet {

// What the kernel says of the machine below /proc and /sys. `root` is "/" or, in tests, a tree like it.

struct ThermalZone {
  std::string type; ///< "x86_pkg_temp", "CPU-therm"
  double celsius = 0;
  std::optional<double> passive_celsius; ///< from here on the kernel slows the machine down
  bool is_too_hot() const { return passive_celsius && celsius >= *passive_celsius; }
};
std::vector<ThermalZone> ReadThermalZones(const std::filesystem::path& root = "/");

/// An NVIDIA Jetson board.
struct Jetson {
  std::string model;              ///< "NVIDIA Jetson Nano Developer Kit"
  std::string release;            ///< first line of /etc/nv_tegra_release; empty when there is none
  std::filesystem::path gpu_load; ///< file with the GPU's load in thousandths; empty when none was found
};
/// Empty on another machine.
std::optional<Jetson> ProbeJetson(const std::filesystem::path& root = "/");
/// Share of the last moments in which the GPU computed, 0..1.
std::optional<double> ReadGpuLoad(const Jetson& jetson);

/// What bears on how steady service times are.
struct HostState {
  std::vector<std::string> governors; ///< of the clock speed of all cores, each once; empty: fixed or unknown
  int64_t throttle_events = 0;        ///< how often a core was slowed down because of heat, since boot (x86)
  std::vector<std::string> cooling;   ///< cooling devices that slow something down right now
  uint64_t memory_available_bytes = 0;
};
HostState ReadHostState(const std::filesystem::path& root = "/");

/// Accelerators that are plugged in, whether or not their driver is installed.
struct PluggedIn {
  int nvidia_gpus = 0; ///< on PCI
  int coral_pcie = 0;
  int coral_usb = 0;
};
PluggedIn ReadBuses(const std::filesystem::path& root = "/");

} // namespace avocet

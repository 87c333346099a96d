#include "node_agent/probes/host_probe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>

#include "node_agent/probes/sysfs.h"

namespace avocet {
namespace {

constexpr std::string_view kSysCpu = "sys/devices/system/cpu";

std::filesystem::path CpuFolder(const std::filesystem::path& root) {
  return root / kSysCpu;
}

bool BeginsWith(const std::filesystem::path& path, std::string_view beginning) {
  return path.filename().string().starts_with(beginning);
}

/// The lowest trip point of kind "passive".
std::optional<double> PassiveTrip(const std::filesystem::path& zone) {
  std::optional<double> lowest;
  for (int i = 0;; ++i) {
    const std::string point = "trip_point_" + std::to_string(i);
    const auto type = ReadText(zone / (point + "_type"));
    if (!type) return lowest;
    const auto milli = ReadNumber(zone / (point + "_temp"));
    if (*type != "passive" || !milli || *milli <= 0) continue;
    const double celsius = static_cast<double>(*milli) / 1000;
    lowest = std::min(lowest.value_or(celsius), celsius);
  }
}

/// devfreq names a device after its address: 57000000.gpu (Nano), 17000000.gv11b (Xavier), 17000000.gpu (Orin).
bool IsTegraGpu(const std::filesystem::path& devfreq) {
  constexpr std::array<std::string_view, 6> kEndings{".gpu", ".gm20b", ".gp10b", ".gv11b", ".ga10b", ".gb10b"};
  const std::string name = devfreq.filename().string();
  return std::any_of(kEndings.begin(), kEndings.end(), [&](auto ending) { return name.ends_with(ending); });
}

std::filesystem::path FindGpuLoad(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> candidates;
  for (const auto& entry : ListFolder(root / "sys/class/devfreq"))
    if (IsTegraGpu(entry)) candidates.push_back(entry / "device/load");
  candidates.push_back(root / "sys/devices/gpu.0/load");
  candidates.push_back(root / "sys/devices/platform/gpu.0/load");
  for (const auto& file : candidates)
    if (ReadNumber(file)) return file;
  return {};
}

std::vector<std::string> Governors(const std::filesystem::path& root) {
  std::set<std::string> governors;
  for (const auto& core : ListFolder(CpuFolder(root)))
    if (const auto governor = ReadText(core / "cpufreq/scaling_governor")) governors.insert(*governor);
  return {governors.begin(), governors.end()};
}

int64_t ThrottleEvents(const std::filesystem::path& root) {
  int64_t events = 0;
  for (const auto& core : ListFolder(CpuFolder(root)))
    events += ReadNumber(core / "thermal_throttle/core_throttle_count").value_or(0);
  return events;
}

/// Fans are welcome; anything else that is active slows something down.
std::vector<std::string> ActiveCooling(const std::filesystem::path& root) {
  std::vector<std::string> active;
  for (const auto& device : ListFolder(root / "sys/class/thermal")) {
    const auto type = ReadText(device / "type");
    if (!BeginsWith(device, "cooling_device") || !type) continue;
    const bool is_fan = type->find("fan") != std::string::npos || type->find("Fan") != std::string::npos;
    if (!is_fan && ReadNumber(device / "cur_state").value_or(0) > 0) active.push_back(*type);
  }
  return active;
}

uint64_t MemoryAvailable(const std::filesystem::path& root) {
  const std::string text = ReadText(root / "proc/meminfo").value_or("");
  constexpr std::string_view kKey = "MemAvailable:";
  const size_t key = text.find(kKey);
  if (key == std::string::npos) return 0;
  const size_t begin = text.find_first_not_of(' ', key + kKey.size());
  uint64_t kib = 0;
  if (begin != std::string::npos) std::from_chars(text.data() + begin, text.data() + text.size(), kib);
  return kib * 1024;
}

// Numbers that the makers have on the buses.
constexpr int64_t kNvidiaPci = 0x10de;
constexpr int64_t kDisplayClass = 0x03;
constexpr int64_t kCoralPci = 0x1ac1;
/// A Coral stick is Global Unichip's until its runtime has started it, Google's then.
bool IsCoralStick(const std::filesystem::path& device) {
  const std::string id = ReadText(device / "idVendor").value_or("") + ":" + ReadText(device / "idProduct").value_or("");
  return id == "1a6e:089a" || id == "18d1:9302";
}

} // namespace

std::vector<ThermalZone> ReadThermalZones(const std::filesystem::path& root) {
  std::vector<ThermalZone> zones;
  for (const auto& zone : ListFolder(root / "sys/class/thermal")) {
    const auto milli = ReadNumber(zone / "temp");
    if (!BeginsWith(zone, "thermal_zone") || !milli) continue; // a sensor that sleeps says nothing
    zones.push_back({ReadText(zone / "type").value_or("?"), static_cast<double>(*milli) / 1000, PassiveTrip(zone)});
  }
  return zones;
}

std::optional<Jetson> ProbeJetson(const std::filesystem::path& root) {
  const auto model = ReadText(root / "proc/device-tree/model");
  const auto release = ReadText(root / "etc/nv_tegra_release");
  const bool is_jetson = release || (model && model->find("Jetson") != std::string::npos);
  if (!is_jetson) return std::nullopt;
  Jetson jetson{model.value_or("NVIDIA Jetson"), release.value_or(""), FindGpuLoad(root)};
  jetson.release = jetson.release.substr(0, jetson.release.find('\n'));
  return jetson;
}

std::optional<double> ReadGpuLoad(const Jetson& jetson) {
  const auto thousandths = ReadNumber(jetson.gpu_load);
  return thousandths ? std::optional(static_cast<double>(*thousandths) / 1000) : std::nullopt;
}

HostState ReadHostState(const std::filesystem::path& root) {
  return {Governors(root), ThrottleEvents(root), ActiveCooling(root), MemoryAvailable(root)};
}

PluggedIn ReadBuses(const std::filesystem::path& root) {
  PluggedIn found;
  for (const auto& device : ListFolder(root / "sys/bus/pci/devices")) {
    const int64_t vendor = ReadNumber(device / "vendor").value_or(0);
    const int64_t device_class = ReadNumber(device / "class").value_or(0) >> 16;
    if (vendor == kNvidiaPci && device_class == kDisplayClass) ++found.nvidia_gpus;
    if (vendor == kCoralPci) ++found.coral_pcie;
  }
  for (const auto& device : ListFolder(root / "sys/bus/usb/devices"))
    if (IsCoralStick(device)) ++found.coral_usb;
  return found;
}

} // namespace avocet

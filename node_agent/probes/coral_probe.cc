#include "node_agent/probes/coral_probe.h"

#include <algorithm>
#include <utility>

#include "node_agent/engines/shared_library.h"
#include "node_agent/probes/sysfs.h"

namespace avocet {
namespace {

/// edgetpu_c.h; the type has the size of an int.
struct EdgeTpuDevice {
  int type; ///< 0: PCIe, 1: USB
  const char* path;
};

constexpr size_t kMaxDevices = 64;

std::optional<double> Temperature(const CoralDevice& device, const std::filesystem::path& root) {
  if (device.bus != CoralDevice::Bus::kPcie) return std::nullopt;
  const auto name = std::filesystem::path(device.path).filename();
  const auto milli = ReadNumber(root / "sys/class/apex" / name / "temp");
  return milli ? std::optional(static_cast<double>(*milli) / 1000) : std::nullopt;
}

} // namespace

Result<CoralRuntime> ProbeCoral(const std::filesystem::path& library, const std::filesystem::path& root) {
  AVOCET_ASSIGN_OR_RETURN(auto opened, SharedLibrary::Open(library));

  EdgeTpuDevice* (*list)(size_t*) = nullptr;
  void (*free_list)(EdgeTpuDevice*) = nullptr;
  const char* (*version)() = nullptr;
  AVOCET_RETURN_IF_ERROR(opened.Bind("edgetpu_list_devices", list));
  AVOCET_RETURN_IF_ERROR(opened.Bind("edgetpu_free_devices", free_list));
  AVOCET_RETURN_IF_ERROR(opened.Bind("edgetpu_version", version));

  CoralRuntime runtime{version(), {}};
  size_t count = 0;
  EdgeTpuDevice* found = list(&count);

  // The count comes from a foreign library: a bound keeps a defect there from becoming an endless list here.
  for (size_t i = 0; found != nullptr && i < std::min(count, kMaxDevices); ++i) {
    CoralDevice device{found[i].type == 0 ? CoralDevice::Bus::kPcie : CoralDevice::Bus::kUsb, found[i].path, {}};
    device.temperature_c = Temperature(device, root);
    runtime.devices.push_back(std::move(device));
  }

  if (found != nullptr) free_list(found);
  return runtime;
}

} // namespace avocet

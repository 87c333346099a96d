#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// A Coral edgeTPU that its runtime can open.
struct CoralDevice {
  enum class Bus { kPcie, kUsb };
  Bus bus = Bus::kUsb;
  std::string path;                    ///< "/dev/apex_0", "/sys/bus/usb/devices/2-1"
  std::optional<double> temperature_c; ///< PCIe boards only
};

struct CoralRuntime {
  std::string version; ///< of libedgetpu, in its own words
  std::vector<CoralDevice> devices;
};

/// Asks libedgetpu which accelerators there are. `library` is a path, or a name that the system's loader finds;
/// temperatures are read below `root`. kNotFound without the library.
Result<CoralRuntime> ProbeCoral(const std::filesystem::path& library = "libedgetpu.so.1",
                                const std::filesystem::path& root = "/");

} // namespace avocet

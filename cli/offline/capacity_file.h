#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/planning/capacity.h"
#include "messages/status.h"

namespace avocet {

inline constexpr int kMaxCapacityDevices = 10000;
inline constexpr int kMaxCapacityApps = 5000; ///< all demands together

/// The file of `avocet capacity`.
struct CapacityFile {
  CapacityQuestion question;
  std::vector<int> have; ///< by offer, where every [[device]] says `count`; empty: devices are to be bought
};

/// TOML; deploy/examples/capacity.toml shows every key. Errors as in config_files.h; unknown keys are errors.
Result<CapacityFile> ParseCapacityFile(std::string_view text, const std::string& filename);

} // namespace avocet

#pragma once

#include <cstdint>

#include "messages/ids.h"
#include "messages/status.h"

namespace avocet {

/// An application that was removed: copies of it that are found later are to be stopped, up to an epoch. A later one is
/// of an application of the same name that these records know nothing of.
struct Removal {
  AppId app;
  uint64_t epoch = 0; ///< the largest that a copy of it may have; 1 to kMaxEpoch
  friend bool operator==(const Removal&, const Removal&) = default;
};

Status Validate(const Removal& removal);

} // namespace avocet

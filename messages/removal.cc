#include "messages/removal.h"

#include "messages/check.h"
#include "messages/placement.h"

namespace avocet {

Status Validate(const Removal& removal) {
  return Check("removal", removal.app.str())
      .Name("app", removal.app.str())
      .That(removal.epoch >= 1 && removal.epoch <= kMaxEpoch, "epoch", removal.epoch, "1 to 2^63 - 1")
      .status();
}

} // namespace avocet

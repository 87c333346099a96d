#pragma once

#include "messages/ids.h"

namespace avocet {

/// A fresh random id of this start of the process: 32 hex digits.
BootId NewBootId();

} // namespace avocet

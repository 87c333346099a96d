#include "node_agent/boot_id.h"

#include <random>

namespace avocet {

BootId NewBootId() {
  std::random_device entropy;
  std::string text;
  for (int word = 0; word < 4; ++word) {
    uint32_t bits = entropy();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4)
      text += "0123456789abcdef"[bits & 15];
  }
  return BootId(text);
}

} // namespace avocet

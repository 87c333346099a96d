#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace avocet {

/// The seed of a randomised test, printed; AVOCET_TEST_SEED repeats a run.
inline uint64_t PrintedSeed() {
  const char* const given = std::getenv("AVOCET_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed: AVOCET_TEST_SEED=" << seed << std::endl;
  return seed;
}

} // namespace avocet

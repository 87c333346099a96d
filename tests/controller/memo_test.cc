#include "controller/memo.h"

#include <algorithm>
#include <cstdint>
#include <memory>

#include <gtest/gtest.h>

namespace avocet {
namespace {

ContentKey KeyOf(uint64_t content) {
  return ContentKey().Add(content);
}

TEST(Memo, ComputesOnceWhileItRemembers) {
  Memo<int> memo(10);
  int computed = 0;
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(memo.Get(KeyOf(1), [&] { return ++computed; }), 1);
}

TEST(Memo, WhatIsAskedForAgainOutlivesItsGeneration) {
  Memo<int> memo(10);
  int computed = 0;
  const auto ask = [&] { (void)memo.Get(KeyOf(1'000'000), [&] { return ++computed; }); };
  for (uint64_t other = 0; other < 100; ++other) {
    if (other % 5 == 0) ask();
    (void)memo.Get(KeyOf(other), [] { return 0; });
  }
  EXPECT_EQ(computed, 1);
}

TEST(Memo, ForgetsWhatIsOldBitByBitUntilNothingIsLeft) {
  constexpr size_t kGeneration = 100;
  Memo<std::shared_ptr<int>> memo(kGeneration);
  const auto counted = std::make_shared<int>();
  long most_dropped = 0, held = 1;
  for (uint64_t i = 0; i < 1000; ++i) {
    (void)memo.Get(KeyOf(i), [&] { return counted; });
    most_dropped = std::max(most_dropped, held + 1 - counted.use_count());
    held = counted.use_count();
    EXPECT_LE(held, 1 + static_cast<long>(3 * kGeneration));
  }
  EXPECT_LE(most_dropped, 2);
  EXPECT_LE(memo.size(), 2 * kGeneration);
}

} // namespace
} // namespace avocet

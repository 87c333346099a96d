#include "controller/placement/memo.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace avocet {
namespace {

ContentKey KeyOf(uint64_t content) {
  return ContentKey().Add(content);
}

TEST(Memo, ComputesOnceWhileCached) {
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

struct Length {
  size_t operator()(const std::string& text) const { return text.size(); }
};

TEST(Memo, IsBoundedByWhatItsValuesWeigh) {
  constexpr size_t kGeneration = 1000, kMost = 100;
  Memo<std::string, Length> memo(kGeneration);
  for (uint64_t i = 0; i < 1000; ++i) {
    (void)memo.Get(KeyOf(i), [&] { return std::string(i % kMost, 'x'); });
    // The lightest half of the values would fill it with many more.
    EXPECT_LE(memo.size(), 2 * (kGeneration / 10));
  }
  (void)memo.Get(KeyOf(5000), [] { return std::string(10 * kGeneration, 'x'); });
  for (uint64_t i = 0; i < 3; ++i)
    (void)memo.Get(KeyOf(6000 + i), [&] { return std::string(kGeneration, 'x'); });
  EXPECT_LE(memo.size(), 2U) << "what is heavy makes room at once";
}

RC_GTEST_PROP(Memo, GivesWhatWouldBeComputedAndStaysWithinTwoGenerations, ()) {
  const auto generation = *rc::gen::inRange<size_t>(1, 6);
  Memo<uint64_t> memo(generation);
  for (const uint64_t asked : *rc::gen::container<std::vector<uint64_t>>(rc::gen::inRange<uint64_t>(0, 12))) {
    RC_ASSERT(memo.Get(KeyOf(asked), [&] { return 100 + asked; }) == 100 + asked);
    RC_ASSERT(memo.size() <= 2 * generation);
  }
}

TEST(Memo, ForgetsWhatWasNotAskedForInTwoGenerations) {
  Memo<int> memo(3);
  int computed = 0;
  const auto ask = [&](uint64_t content) { (void)memo.Get(KeyOf(content), [&] { return ++computed; }); };
  for (uint64_t content = 0; content < 7; ++content)
    ask(content);
  ask(3);
  EXPECT_EQ(computed, 7) << "the older of the two generations is still cached";
  ask(0);
  EXPECT_EQ(computed, 8) << "the one before is not";
}

} // namespace
} // namespace avocet

#include "controller/placement/content_key.h"

#include <set>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace avocet {
namespace {

ContentKey KeyOf(const std::vector<uint64_t>& words) {
  ContentKey key;
  for (const uint64_t word : words)
    key.Add(word);
  return key;
}

RC_GTEST_PROP(ContentKey, IsTheSameExactlyForTheSameWords, (const std::vector<uint64_t>& a)) {
  const auto b = *rc::gen::oneOf(rc::gen::just(a), rc::gen::arbitrary<std::vector<uint64_t>>());
  RC_ASSERT((KeyOf(a) == KeyOf(b)) == (a == b));
}

TEST(ContentKey, EveryBitOfAWordCounts) {
  std::unordered_set<ContentKey, ContentKey::Hash> keys = {KeyOf({0})};
  for (int bit = 0; bit < 64; ++bit)
    EXPECT_TRUE(keys.insert(KeyOf({uint64_t{1} << bit})).second) << "bit " << bit;
}

TEST(ContentKey, HasNoCollisionsAmongSmallNumbersInTwoPlaces) {
  std::unordered_set<ContentKey, ContentKey::Hash> keys;
  for (uint64_t a = 0; a < 200; ++a) {
    for (uint64_t b = 0; b < 200; ++b)
      keys.insert(KeyOf({a, b}));
  }
  EXPECT_EQ(keys.size(), 200U * 200U);
}

TEST(ContentKey, ItsHashSpreadsOverTheLowBits) {
  // Tables take the low bits: consecutive words must not share them.
  std::set<size_t> buckets;
  for (uint64_t word = 0; word < 4096; ++word)
    buckets.insert(ContentKey::Hash()(KeyOf({word})) % 4096);
  EXPECT_GT(buckets.size(), 2400U) << "throwing 4096 balls at random hits 2589 of 4096 buckets";
}

TEST(ContentKey, OrderMatters) {
  EXPECT_NE(KeyOf({1, 2}), KeyOf({2, 1}));
}

TEST(ContentKey, AWordOfZeroIsNotNothing) {
  EXPECT_NE(KeyOf({}), KeyOf({0}));
  EXPECT_NE(KeyOf({0}), KeyOf({0, 0}));
}

TEST(ContentKey, NeighbouringNumbersDiffer) {
  EXPECT_NE(ContentKey().Add(1.0), ContentKey().Add(1.0 + 0x1p-52));
  EXPECT_EQ(ContentKey().Add(0.5), ContentKey().Add(0.5));
}

TEST(ContentKey, TextsAndKeysCountByContent) {
  const std::string text = "pose:1", copy = "pose:1";
  EXPECT_EQ(ContentKey().Add(std::string_view(text)), ContentKey().Add(std::string_view(copy)));
  EXPECT_NE(ContentKey().Add(std::string_view(text)), ContentKey().Add(std::string_view("pose:2")));
  EXPECT_EQ(ContentKey().Add(KeyOf({1})), ContentKey().Add(KeyOf({1})));
  EXPECT_NE(ContentKey().Add(KeyOf({1})), ContentKey().Add(KeyOf({2})));
}

} // namespace
} // namespace avocet

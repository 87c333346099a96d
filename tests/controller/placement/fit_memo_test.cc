#include "controller/placement/fit_memo.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

constexpr uint64_t kMostColumns = 1024;
constexpr uint64_t kMostRows = 3 * 8192; ///< three generations of a Memo

ContentKey KeyOf(uint64_t content) {
  return ContentKey().Add(content);
}

void AddColumns(FitMemo& memo, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i)
    (void)memo.ColumnOf(KeyOf(i));
}

TEST(FitMemo, NumbersColumnsInOrderOfAsking) {
  FitMemo memo;
  EXPECT_EQ(memo.ColumnOf(KeyOf(7)), 0U);
  EXPECT_EQ(memo.ColumnOf(KeyOf(3)), 1U);
  EXPECT_EQ(memo.ColumnOf(KeyOf(7)), 0U);
}

TEST(FitMemo, ADeviceOfTheSameContentHasTheSameRow) {
  FitMemo memo;
  const auto row = memo.RowOf(KeyOf(1));
  row->push_back(FitMemo::Answer::kYes);
  EXPECT_EQ(memo.RowOf(KeyOf(1)), row);
  EXPECT_TRUE(memo.RowOf(KeyOf(2))->empty());
}

TEST(FitMemo, ADecisionKeepsAllUpToTheBound) {
  FitMemo memo;
  AddColumns(memo, kMostColumns);
  const auto row = memo.RowOf(KeyOf(1));
  memo.StartDecision();
  EXPECT_EQ(memo.RowOf(KeyOf(1)), row);
  EXPECT_EQ(memo.ColumnOf(KeyOf(kMostColumns - 1)), kMostColumns - 1);
}

TEST(FitMemo, ADecisionForgetsRowsTogetherWithColumnsPastTheBound) {
  FitMemo memo;
  AddColumns(memo, kMostColumns + 1);
  const auto row = memo.RowOf(KeyOf(1));
  row->push_back(FitMemo::Answer::kYes);
  memo.StartDecision();
  EXPECT_TRUE(memo.RowOf(KeyOf(1))->empty()) << "its answers stand in columns that are given to others now";
  EXPECT_EQ(memo.ColumnOf(KeyOf(kMostColumns)), 0U);
}

TEST(FitMemo, WithinADecisionColumnsStayPastTheBound) {
  FitMemo memo;
  AddColumns(memo, 2 * kMostColumns);
  EXPECT_EQ(memo.ColumnOf(KeyOf(0)), 0U);
  EXPECT_EQ(memo.ColumnOf(KeyOf(2 * kMostColumns - 1)), 2 * kMostColumns - 1);
}

TEST(FitMemo, ForgetsOldRows) {
  FitMemo memo;
  const std::weak_ptr<FitMemo::Row> first = memo.RowOf(KeyOf(kMostRows));
  for (uint64_t i = 0; i < kMostRows; ++i)
    (void)memo.RowOf(KeyOf(i));
  EXPECT_TRUE(first.expired());
}

} // namespace
} // namespace avocet

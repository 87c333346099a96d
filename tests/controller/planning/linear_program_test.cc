#include "controller/planning/linear_program.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

using Entries = std::vector<std::pair<int, double>>;

TEST(LinearProgram, RowsAndColumnsAreNumberedFromZeroEachForItself) {
  LinearProgram program;
  EXPECT_EQ(program.AddRow({0, 1}), 0);
  EXPECT_EQ(program.AddColumn({}, 1), 0);
  EXPECT_EQ(program.AddRow({2, 3}), 1);
  EXPECT_EQ(program.AddColumn({4, 5}, -1, true), 1);
  EXPECT_EQ(program.rows()[1].low, 2);
  EXPECT_EQ(program.rows()[1].high, 3);
  EXPECT_EQ(program.columns()[1].bounds.high, 5);
  EXPECT_EQ(program.columns()[1].objective, -1);
}

TEST(LinearProgram, ColumnsAreNonNegativeAndFractionalByDefault) {
  LinearProgram program;
  program.AddColumn({}, 0);
  EXPECT_EQ(program.columns()[0].bounds.low, 0);
  EXPECT_EQ(program.columns()[0].bounds.high, LinearProgram::kInfinite);
  EXPECT_FALSE(program.columns()[0].whole);
}

TEST(LinearProgram, CoefficientsStandWithTheirColumnAndZeroesAreLeftOut) {
  LinearProgram program;
  const int a = program.AddRow({}), b = program.AddRow({});
  const int x = program.AddColumn({}, 0), y = program.AddColumn({}, 0);
  program.Set(a, x, 2);
  program.Set(b, x, 0);
  program.Set(b, y, -1);
  EXPECT_EQ(program.columns()[0].entries, (Entries{{a, 2}}));
  EXPECT_EQ(program.columns()[1].entries, (Entries{{b, -1}}));
}

} // namespace
} // namespace avocet

#include "cli/render/table.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(TextTable, AlignsColumnsWithoutTrailingSpaces) {
  TextTable table({{"NAME"}, {"RPS", Align::kRight}, {"NOTE"}});
  table.Add({"a", "1.5", "x"});
  table.Add({"longer-name", "12", ""});
  EXPECT_EQ(table.Render(), "NAME         RPS  NOTE\n"
                            "a            1.5  x\n"
                            "longer-name   12\n");
}

TEST(TextTable, WithoutRowsIsItsHeader) {
  EXPECT_EQ(TextTable({{"A"}, {"B"}}).Render(), "A  B\n");
}

TEST(TextTable, CountsCharactersNotBytes) {
  TextTable table({{"A"}, {"B"}});
  table.Add({"\xc3\xa4\xc3\xb6", "x"}); // two umlauts, four bytes
  table.Add({"abc", "y"});
  EXPECT_EQ(table.Render(), "A    B\n\xc3\xa4\xc3\xb6   x\nabc  y\n");
}

TEST(TextTable, ColorDoesNotShiftColumns) {
  TextTable table({{"A"}, {"B"}});
  table.Add({Cell("ok", Tone::kGood), "x"});
  EXPECT_EQ(table.Render(true), "\x1b[1mA\x1b[0m   \x1b[1mB\x1b[0m\n\x1b[32mok\x1b[0m  x\n");
}

TEST(TextTable, ForeignControlCharactersDoNotReachTheTerminal) {
  TextTable table({{"A"}});
  table.Add({std::string("a\x1b[2Jb\nc")});
  EXPECT_EQ(table.Render(), "A\na\\x1b[2Jb\\x0ac\n");
}

TEST(UseColor, NeedsATerminal) {
  EXPECT_FALSE(UseColor(-1));
}

} // namespace
} // namespace avocet

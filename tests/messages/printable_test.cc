#include "messages/printable.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(Printable, LeavesWhatCanBeShown) {
  for (const char* text : {"", "out of memory", "say \"hi\" \\n", "h\xC3\xA4ngt", "\xE2\x82\xAC", "\xF0\x9F\x90\xA6"})
    EXPECT_EQ(Printable(text), text);
}

TEST(Printable, SpellsOutWhatMovesACursorOrBeginsALine) {
  EXPECT_EQ(Printable("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(Printable("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(Printable(std::string("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "31m"),
            "\\u{9b}31m")
      << "C1: begins a sequence in eight bits";
  EXPECT_EQ(Printable("\xE2\x80\xA8"), "\\u{2028}") << "a line separator";
  EXPECT_EQ(Printable("\xE2\x80\xAE"
                      "cod"),
            "\\u{202e}cod")
      << "writes from right to left";
}

TEST(Printable, SpellsOutBytesThatAreNoText) {
  EXPECT_EQ(Printable("caf\xC3"), "caf\\xc3");
  EXPECT_EQ(Printable("\xFF\xFE"), "\\xff\\xfe");
}

TEST(Printable, ChangesNothingTwice) {
  const std::string once = Printable("a\n\x1b\xFF");
  EXPECT_EQ(Printable(once), once);
}

} // namespace
} // namespace avocet

#include "cli/text/visible.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(Visible, LeavesTextAsItIs) {
  EXPECT_EQ(Visible(""), "");
  EXPECT_EQ(Visible("door-cam, 50 % of T\xc3\xbcr \xe2\x82\xac \xf0\x9f\x98\x80"),
            "door-cam, 50 % of T\xc3\xbcr \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(Visible, ShowsWhatWouldDriveATerminal) {
  EXPECT_EQ(Visible("a\x1b[31mred\x1b]0;title\x07"), "a\\x1b[31mred\\x1b]0;title\\x07");
  EXPECT_EQ(Visible("a\r\n\tb\x7f"), "a\\x0d\\x0a\\x09"
                                     "b\\x7f");
  EXPECT_EQ(Visible("\xc2\x9b"
                    "31m"),
            "\\u009b31m")
      << "C1: an escape sequence in one character";
  EXPECT_EQ(Visible("\xe2\x80\xae"
                    "evil"),
            "\\u202eevil")
      << "written from right to left";
  EXPECT_EQ(Visible(std::string("a\0b", 3)), "a\\x00b");
}

TEST(Visible, ShowsBytesThatAreNoText) {
  EXPECT_EQ(Visible("caf\xc3"), "caf\\xc3");
  EXPECT_EQ(Visible("\xff\x80x\xe2\x82"), "\\xff\\x80x\\xe2\\x82");
}

TEST(VisibleLines, KeepsTheEndsOfLinesAlone) {
  EXPECT_EQ(VisibleLines("one\ntwo\x1b[2J\n"), "one\ntwo\\x1b[2J\n");
}

} // namespace
} // namespace avocet

#include "messages/text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/check.h"
#include "tests/support/arbitrary.h"

namespace avocet {
namespace {

TEST(Text, AcceptsUtf8AtTheEdgesOfItsRanges) {
  for (const char* text : {"", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsText(text)) << text;
  }
}

TEST(Text, RefusesOverlongSurrogateLateAndCutSequences) {
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE1\x80", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF1\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(IsText(text));
  }
}

TEST(Text, IsBounded) {
  EXPECT_TRUE(IsText(std::string(kMaxTextBytes, 'x')));
  EXPECT_FALSE(IsText(std::string(kMaxTextBytes + 1, 'x')));
}

TEST(Label, IsShortNotEmptyAndWithoutControlCharacters) {
  EXPECT_TRUE(IsLabel("cpu tflite Xeon 1 core"));
  EXPECT_TRUE(IsLabel(std::string(kMaxLabelBytes, 'x')));
  EXPECT_FALSE(IsLabel(std::string(kMaxLabelBytes + 1, 'x')));
  for (const char* text : {"", "a\nb", "\x1B[31m", "a\x7F", "\xFF"})
    EXPECT_FALSE(IsLabel(text));
}

TEST(ToText, ReplacesInvalidBytesAndCutsBetweenCharacters) {
  EXPECT_EQ(ToText("plain"), "plain");
  EXPECT_EQ(ToText("a\xFF\xC2z"), "a??z");
  EXPECT_EQ(ToText("\xC3\xA4\xC3\xB6", 3), "\xC3\xA4");
  EXPECT_EQ(ToText(std::string(kMaxTextBytes + 1, 'x')).size(), kMaxTextBytes);
}

RC_GTEST_PROP(ToText, TurnsAnyBytesIntoText, (const std::string& bytes)) {
  RC_ASSERT(IsText(ToText(bytes)));
}

RC_GTEST_PROP(ToText, LeavesTextAlone, ()) {
  const std::string text = *ValidText();
  RC_ASSERT(IsText(text));
  RC_ASSERT(ToText(text) == text);
}

TEST(Describe, ShowsValuesShortly) {
  EXPECT_EQ(Describe(0.1), "0.1");
  EXPECT_EQ(Describe(-1), "-1");
  EXPECT_EQ(Describe(uint64_t{18446744073709551615U}), "18446744073709551615");
  EXPECT_EQ(Describe(Duration(1'500'000)), "1.5 ms");
  EXPECT_EQ(Describe("a\xFF"), "'a?'");
  EXPECT_EQ(Describe(std::string(101, 'x')), "'" + std::string(100, 'x') + "...' (101 bytes)");
}

} // namespace
} // namespace avocet

#include "cli/render/columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/render/table.h"

namespace avocet {
namespace {

using testing::Each;
using testing::ElementsAre;

TEST(Columns, AnIdKeepsBothEnds) {
  EXPECT_EQ(ElideToWidth("face:1", 6), "face:1");
  EXPECT_EQ(ElideToWidth("face_detection:12", 9), "face\u2026n:12");
  EXPECT_EQ(ElideToWidth("\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc", 5), "\u00e4\u00f6\u2026\u00f6\u00fc");
}

TEST(Columns, ProseBreaksBetweenWords) {
  EXPECT_THAT(WrapToWidth("", 5), ElementsAre(""));
  EXPECT_THAT(WrapToWidth("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(WrapToWidth("one two three", 5), ElementsAre("one", "two", "three"));
  EXPECT_THAT(WrapToWidth("run `avocet a b` now", 14), ElementsAre("run", "`avocet a b`", "now")) << "to be copied";
  EXPECT_THAT(WrapToWidth("`a very long command`", 8), ElementsAre("`a very", "long", "command`"));
  EXPECT_THAT(WrapToWidth("undivided", 4), ElementsAre("undi", "vide", "d"));
  EXPECT_THAT(WrapToWidth("\u00e4\u00f6\u00fc", 2), ElementsAre("\u00e4\u00f6", "\u00fc"));
}

std::vector<size_t> WidthsOf(const std::string& text) {
  std::vector<size_t> widths;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    widths.push_back(DisplayWidth(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return widths;
}

TEST(Columns, ATableFitsWhereItsColumnsMayShrink) {
  TextTable table({{"DEVICE", Align::kLeft, Fit::kElide}, {"N", Align::kRight}, {"WHY", Align::kLeft, Fit::kWrap}});
  const std::string device = std::string(63, 'n') + "/gpu0";
  table.Add({device, "1", "it lacks the memory that the model needs, and another device has it"});
  table.Add({"short/gpu0", "12", "fine"});
  const std::string text = table.Render();
  EXPECT_THAT(WidthsOf(text), Each(testing::Le(kMaxTableColumns))) << text;
  EXPECT_THAT(text, testing::HasSubstr("/gpu0"));
  EXPECT_THAT(text, testing::HasSubstr("memory"));
  EXPECT_GT(WidthsOf(text).size(), 3U) << "the reason takes more than one line: " << text;
}

TEST(Columns, ATableThatFitsIsLeftAlone) {
  TextTable table({{"A", Align::kLeft, Fit::kElide}, {"B", Align::kLeft, Fit::kWrap}});
  table.Add({std::string(40, 'a'), std::string(58, 'b')});
  EXPECT_EQ(table.Render(),
            "A" + std::string(41, ' ') + "B\n" + std::string(40, 'a') + "  " + std::string(58, 'b') + "\n");
}

} // namespace
} // namespace avocet

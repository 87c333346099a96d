#include "tests/repository/source_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::SizeIs;

TEST(SourceText, DropsCommentsAndLiteralsButKeepsLines) {
  EXPECT_EQ(CodeOf("a // b\nc /* d\ne */ f"), "a \nc \n f");
  EXPECT_EQ(CodeOf("x = \"// no \\\" comment\"; y"), "x = \"\"; y");
  EXPECT_EQ(CodeOf("x = '\"'; y = '\\''; z"), "x = \"\"; y = \"\"; z");
  EXPECT_EQ(CodeOf("n = 1'000 + 'a'; m"), "n = 1'000 + \"\"; m");
  EXPECT_EQ(CodeOf("r = R\"x(a\n\" // )x\"; s"), "r = \"\n\"; s");
  EXPECT_EQ(CodeOf("/* open"), "");
  EXPECT_EQ(CodeOf("\"open"), "\"\"");
}

TEST(SourceText, FindsIncludesAndTheirLines) {
  const auto includes =
      IncludesOf("// #include <a>\n#include <b>\n  #  include \"c/d.h\" // why\n/*\n#include <e>\n*/\n");
  ASSERT_THAT(includes, SizeIs(2));
  EXPECT_EQ(includes[0].header, "b");
  EXPECT_EQ(includes[0].line, 2);
  EXPECT_FALSE(includes[0].quoted);
  EXPECT_EQ(includes[1].header, "c/d.h");
  EXPECT_EQ(includes[1].line, 3);
  EXPECT_TRUE(includes[1].quoted);
}

} // namespace
} // namespace avocet

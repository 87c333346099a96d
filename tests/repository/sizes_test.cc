#include "tests/repository/sizes.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(FunctionsOf, FindsThemInNamespacesAndTypes) {
  const auto functions = FunctionsOf("namespace avocet {\n"
                                     "int Free(int a,\n"
                                     "         int b) {\n"
                                     "  // why\n"
                                     "  if (a) {\n"
                                     "\n"
                                     "    return b;\n"
                                     "  }\n"
                                     "  return a;\n"
                                     "}\n"
                                     "class C {\n"
                                     "public:\n"
                                     "  bool operator==(const C&) const { return true; }\n"
                                     "};\n"
                                     "} // namespace avocet\n");
  ASSERT_THAT(functions, SizeIs(2));
  EXPECT_EQ(functions[0].first_line, 2);
  EXPECT_EQ(functions[0].last_line, 10);
  EXPECT_EQ(functions[0].blank_lines, 1);
  EXPECT_EQ(functions[0].comment_lines, 1);
  EXPECT_EQ(functions[1].first_line, 13);
  EXPECT_EQ(functions[1].lines(), 1);
}

TEST(FunctionsOf, PassesOverWhatIsNone) {
  EXPECT_THAT(FunctionsOf("const std::map<int, int> kTable{\n  {1, 2},\n};\n"
                          "const auto k = Make({\n  1,\n});\n"
                          "enum class E { kA };\nstruct S {\n  int x{1};\n};\n"
                          "#define M(x)  \\\n  void F() {   \\\n  }\n"),
              IsEmpty());
}

/// A function with so many lines, signature and brace among them.
std::string FunctionOf(int lines) {
  std::string text = "void F() {\n";
  for (int i = 2; i < lines; ++i)
    text += "  G();\n";
  return text + "}\n";
}

TEST(CheckSizes, RefusesOneLineTooMany) {
  EXPECT_THAT(CheckSizes("a.cc", FunctionOf(60)), IsEmpty());
  EXPECT_THAT(CheckSizes("a.cc", "\n" + FunctionOf(61)), ElementsAre(HasSubstr("a.cc:2: a function of 61 lines")));
  EXPECT_THAT(CheckSizes("a.cc", std::string(400, '\n')), IsEmpty());
  EXPECT_THAT(CheckSizes("a.cc", std::string(401, '\n')), ElementsAre(HasSubstr("a file of 401 lines")));
}

TEST(LongFunctions, CountOnlyThoseOfFifteenLinesAndMore) {
  LongFunctions all;
  all.Add(FunctionsOf(FunctionOf(14)));
  EXPECT_EQ(all.lines, 0);
  all.Add({{.first_line = 1, .last_line = 20, .blank_lines = 1, .comment_lines = 2}});
  EXPECT_EQ(all.lines, 20);
  EXPECT_DOUBLE_EQ(all.blank_share(), 0.05);
  EXPECT_DOUBLE_EQ(all.comment_share(), 0.1);
}

TEST(DeadDeclarations, AreThoseThatNobodyCalls) {
  const std::string header = "int Used(int x);\nint Tested();\nint Dead(int x);\nint Undefined();\n";
  const std::string source =
      "int Used(int x) { return x; }\nint Tested() { return 1; }\nint Dead(int x) { return x; }\n";
  EXPECT_THAT(DeadDeclarations({{"a/b.h", header},
                                {"a/b.cc", source},
                                {"a/c.cc", "int c = Used(1); // Dead(1)\n"},
                                {"tests/a/b_test.cc", "EXPECT(Tested());\n"}}),
              ElementsAre("a/b.h: Dead", "a/b.h: Undefined"));
}

} // namespace
} // namespace avocet

#include "cli/config/toml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = TomlNode::Kind;

TEST(ParseToml, KeepsKindsValuesAndPlaces) {
  const auto tree = ParseToml("text = \"a\"\nwhole = 3\n  part = 2.5\nyes = true\nday = 2024-05-01\n"
                              "list = [1, 2]\n[table]\nkey = 1\n",
                              "f.toml");
  ASSERT_TRUE(tree.ok()) << tree.status().message();
  EXPECT_EQ(tree->Find("text")->value.text, "a");
  EXPECT_EQ(tree->Find("whole")->value.integer, 3);
  EXPECT_EQ(tree->Find("whole")->value.number, 3.0);
  EXPECT_EQ(tree->Find("part")->value.number, 2.5);
  EXPECT_TRUE(tree->Find("yes")->value.boolean);
  EXPECT_EQ(tree->Find("day")->value.kind, Kind::kDate);
  EXPECT_EQ(tree->Find("list")->value.items.size(), 2U);
  EXPECT_EQ(tree->Find("table")->value.Find("key")->value.integer, 1);
  EXPECT_EQ(tree->Find("part")->key_at, (FilePosition{3, 3}));
  EXPECT_EQ(tree->Find("part")->value.at, (FilePosition{3, 10}));
  EXPECT_EQ(tree->Find("none"), nullptr);
}

TEST(ParseToml, PlacesSyntaxErrors) {
  const auto tree = ParseToml("a = 1\nb = = 2\n", "f.toml");
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(tree.status().message(), StartsWith("f.toml:2:5: not valid TOML: "));
}

TEST(ParseToml, RefusesAKeyGivenTwice) {
  const auto tree = ParseToml("a = 1\na = 2\n", "f.toml");
  ASSERT_FALSE(tree.ok());
  EXPECT_THAT(tree.status().message(), StartsWith("f.toml:2:"));
}

TEST(ParseToml, RefusesInvalidUtf8) {
  EXPECT_FALSE(ParseToml("a = \"\xff\"\n", "f.toml").ok());
}

TEST(ParseToml, RefusesDeepNesting) {
  const std::string deep = "a = " + std::string(1000, '[') + std::string(1000, ']');
  EXPECT_FALSE(ParseToml(deep, "f.toml").ok());
}

TEST(ParseToml, ReadsUpToItsLimitAndNotOnePast) {
  std::string text(kMaxTomlBytes, '\n');
  EXPECT_TRUE(ParseToml(text, "f.toml").ok());
  const auto longer = ParseToml(text + "\n", "f.toml");
  ASSERT_FALSE(longer.ok());
  EXPECT_EQ(longer.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(longer.status().message(), HasSubstr("f.toml"));
}

} // namespace
} // namespace avocet

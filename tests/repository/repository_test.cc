#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/repository/rules.h"
#include "tests/repository/sizes.h"

namespace avocet {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

/// Path relative to the repository -> text, of every C++ file of the project.
const std::map<std::string, std::string>& ProjectSources() {
  static const std::map<std::string, std::string> kSources = [] {
    const fs::path root = AVOCET_SOURCE_DIR;
    std::map<std::string, std::string> sources;
    for (const char* folder : {"messages", "storage", "controller", "node_agent", "actors", "cli", "tests", "bench"}) {
      if (!fs::is_directory(root / folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
        std::ostringstream text;
        text << std::ifstream(entry.path()).rdbuf();
        sources[fs::relative(entry.path(), root).generic_string()] = text.str();
      }
    }
    return sources;
  }();
  return kSources;
}

TEST(Repository, EveryFolderHasSources) {
  for (const char* folder : {"messages/", "storage/", "controller/", "node_agent/", "tests/"}) {
    const auto first = ProjectSources().lower_bound(folder);
    ASSERT_NE(first, ProjectSources().end()) << folder;
    EXPECT_THAT(first->first, testing::StartsWith(folder));
    EXPECT_FALSE(first->second.empty()) << first->first;
  }
}

TEST(Repository, KeepsToTheIncludeTable) {
  for (const auto& [path, source] : ProjectSources())
    EXPECT_THAT(CheckIncludes(path, source), IsEmpty());
}

TEST(Repository, EveryFileStandsInARoomOfTheTable) {
  for (const auto& [path, source] : ProjectSources())
    EXPECT_THAT(CheckRoom(path), IsEmpty());
}

TEST(Repository, RoomsStandInOneOrder) {
  EXPECT_THAT(CheckRoomOrder(), IsEmpty());
}

TEST(Repository, OneFileEditsViews) {
  for (const auto& [path, source] : ProjectSources())
    EXPECT_THAT(CheckViewEdits(path, source), IsEmpty());
}

TEST(Repository, FilesAndFunctionsKeepTheirSize) {
  for (const auto& [path, source] : ProjectSources())
    EXPECT_THAT(CheckSizes(path, source), IsEmpty());
}

TEST(Repository, LongFunctionsHaveAirAndReasons) {
  LongFunctions all;
  for (const auto& [path, source] : ProjectSources()) {
    if (path.starts_with("tests/") || path.starts_with("bench/")) continue;
    all.Add(FunctionsOf(source));
  }
  EXPECT_GT(all.lines, 1000);
  EXPECT_GE(all.blank_share(), 0.04) << "blank lines between the steps of a function";
  EXPECT_GE(all.comment_share(), 0.04) << "a line of why above what is not obvious";
}

TEST(Repository, DeclaresNothingThatNobodyCalls) {
  EXPECT_THAT(DeadDeclarations(ProjectSources()), IsEmpty());
}

TEST(Repository, WhatIsSaidToBePureIs) {
  for (const auto& [path, source] : ProjectSources())
    EXPECT_THAT(CheckPurity(path, source), IsEmpty());
}

TEST(Repository, NoTwoTypesShareAName) {
  std::map<std::string, std::string> defined_in;
  for (const auto& [path, source] : ProjectSources()) {
    if (path.starts_with("tests/") || path.starts_with("bench/")) continue; // programs of their own
    for (const auto& type : NamedTypesOf(source)) {
      const auto [known, is_new] = defined_in.try_emplace(type, path);
      EXPECT_TRUE(is_new) << type << " is defined in " << known->second << " and in " << path;
    }
  }
  EXPECT_TRUE(defined_in.contains("avocet::Placement"));
}

} // namespace
} // namespace avocet

#include "messages/files.h"

#include <fstream>
#include <utility>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

using testing::HasSubstr;

bool IsOpen(int descriptor) {
  return fcntl(descriptor, F_GETFD) >= 0;
}

Fd OpenNull() {
  return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST(Fd, ClosesWhatItOwns) {
  int descriptor = -1;
  {
    const Fd fd = OpenNull();
    descriptor = fd.get();
    EXPECT_TRUE(IsOpen(descriptor));
  }
  EXPECT_FALSE(IsOpen(descriptor));
}

TEST(Fd, OwnsNothingAfterAMove) {
  Fd from = OpenNull();
  const int descriptor = from.get();
  const Fd to = std::move(from);
  EXPECT_FALSE(from.ok()); // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(to.get(), descriptor);
  EXPECT_TRUE(IsOpen(descriptor));
}

TEST(Fd, AssignmentClosesWhatItOwnedBefore) {
  Fd fd = OpenNull();
  const int before = fd.get();
  fd = Fd();
  EXPECT_FALSE(IsOpen(before));
  EXPECT_FALSE(fd.ok());
}

TEST(Fd, ReleaseLeavesTheDescriptorOpen) {
  int descriptor = -1;
  {
    Fd fd = OpenNull();
    descriptor = fd.Release();
  }
  EXPECT_TRUE(IsOpen(descriptor));
  const Fd again(descriptor);
}

TEST(ReadWholeFile, ReadsUpToItsBoundAndNotOneByteMore) {
  const TempDir folder;
  const auto file = folder.path() / "f";
  std::ofstream(file, std::ios::binary) << std::string(70000, 'a');
  const auto all = ReadWholeFile(file, 70000);
  ASSERT_TRUE(all.ok()) << all.status().ToString();
  EXPECT_EQ(*all, std::string(70000, 'a'));
  const auto status = ReadWholeFile(file, 69999).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("is longer than 69999 bytes"));
}

TEST(ReadWholeFile, SaysWhyAFileCannotBeRead) {
  const TempDir folder;
  const auto missing = ReadWholeFile(folder.path() / "missing", 10).status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("No such file"));
  EXPECT_EQ(ReadWholeFile(folder.path(), 10).status().code(), StatusCode::kUnavailable); // a folder
}

TEST(ReadWholeFile, ReadsFilesThatHaveNoSize) {
  const auto status = ReadWholeFile("/proc/self/status", 1 << 20);
  ASSERT_TRUE(status.ok()) << status.status().ToString();
  EXPECT_THAT(*status, HasSubstr("Pid:"));
}

} // namespace
} // namespace avocet

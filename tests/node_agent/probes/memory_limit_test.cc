#include "node_agent/probes/memory_limit.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "messages/units.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

/// A tree like the machine's.
class MemoryLimitTest : public testing::Test {
protected:
  void SetUp() override { Write("proc/meminfo", "MemTotal:        4194304 kB\nMemFree: 1 kB\n"); }

  void Write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_.path() / file).parent_path());
    std::ofstream(root_.path() / file) << text;
  }

  TempDir root_;
};

TEST_F(MemoryLimitTest, IsThatOfTheMachineWithoutAGroup) {
  EXPECT_EQ(MemoryLimit(root_.path()), 4096 * kMiB);
  Write("proc/self/cgroup", "0::/system.slice/avocet.service\n");
  EXPECT_EQ(MemoryLimit(root_.path()), 4096 * kMiB);
  Write("sys/fs/cgroup/system.slice/avocet.service/memory.max", "max\n");
  EXPECT_EQ(MemoryLimit(root_.path()), 4096 * kMiB);
}

TEST_F(MemoryLimitTest, IsTheLowestOfTheGroupsThatTheProcessLiesIn) {
  Write("proc/self/cgroup", "0::/system.slice/avocet.service\n");
  Write("sys/fs/cgroup/system.slice/avocet.service/memory.max", "1073741824\n");
  EXPECT_EQ(MemoryLimit(root_.path()), 1024 * kMiB);
  Write("sys/fs/cgroup/system.slice/memory.max", "536870912\n");
  EXPECT_EQ(MemoryLimit(root_.path()), 512 * kMiB);
}

TEST_F(MemoryLimitTest, KnowsTheFirstVersionOfGroups) {
  Write("proc/self/cgroup", "12:cpu,cpuacct:/a\n5:memory:/docker/x\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(MemoryLimit(root_.path()), 4096 * kMiB);
  Write("sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "268435456\n");
  EXPECT_EQ(MemoryLimit(root_.path()), 256 * kMiB);
}

TEST_F(MemoryLimitTest, IsUnknownWhereNothingTells) {
  EXPECT_EQ(MemoryLimit(root_.path() / "nowhere"), 0u);
}

TEST(MemoryForRequests, IsAnEighthWithinBounds) {
  EXPECT_EQ(MemoryForRequests(0), 512 * kMiB);
  EXPECT_EQ(MemoryForRequests(64 * kMiB), 32 * kMiB);
  EXPECT_EQ(MemoryForRequests(1024 * kMiB), 128 * kMiB);
  EXPECT_EQ(MemoryForRequests(64 * 1024 * kMiB), 512 * kMiB);
}

} // namespace
} // namespace avocet

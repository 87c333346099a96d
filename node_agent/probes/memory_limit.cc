#include "node_agent/probes/memory_limit.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>

#include "messages/units.h"
#include "node_agent/probes/sysfs.h"

namespace avocet {
namespace {

constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();

/// The number at the beginning of the text; kNone for anything else ("max").
uint64_t NumberOrNone(std::string_view text) {
  uint64_t number = kNone;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

uint64_t MachineMemory(const std::filesystem::path& root) {
  const std::string text = ReadText(root / "proc/meminfo").value_or("");
  constexpr std::string_view kKey = "MemTotal:";
  const size_t key = text.find(kKey);
  const size_t number = key == std::string::npos ? key : text.find_first_not_of(' ', key + kKey.size());
  if (number == std::string::npos) return kNone;
  const uint64_t kib = NumberOrNone(std::string_view(text).substr(number));
  return kib == kNone ? kNone : kib * 1024;
}

/// The lowest bound of a group and of those that it lies in.
uint64_t LowestOf(const std::filesystem::path& hierarchy, const std::string& group, const char* file) {
  uint64_t lowest = kNone;
  for (std::filesystem::path path = std::filesystem::path(group).relative_path();; path = path.parent_path()) {
    if (const auto bound = ReadText(hierarchy / path / file)) lowest = std::min(lowest, NumberOrNone(*bound));
    if (path.empty()) return lowest;
  }
}

/// /proc/self/cgroup has a line "hierarchy:controllers:group" for each hierarchy; that of version 2 names none.
uint64_t GroupMemory(const std::filesystem::path& root) {
  std::istringstream lines(ReadText(root / "proc/self/cgroup").value_or(""));
  const std::filesystem::path groups = root / "sys/fs/cgroup";
  uint64_t lowest = kNone;
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") lowest = std::min(lowest, LowestOf(groups, group, "memory.max"));
    if (controllers.find(",memory,") != std::string::npos)
      lowest = std::min(lowest, LowestOf(groups / "memory", group, "memory.limit_in_bytes"));
  }
  return lowest;
}

} // namespace

uint64_t MemoryLimit(const std::filesystem::path& root) {
  const uint64_t limit = std::min(MachineMemory(root), GroupMemory(root));
  return limit == kNone ? 0 : limit;
}

uint64_t MemoryForRequests(uint64_t memory_limit) {
  constexpr uint64_t kMost = 512 * kMiB;
  if (memory_limit == 0) return kMost;
  return std::clamp<uint64_t>(memory_limit / 8, 32 * kMiB, kMost);
}

} // namespace avocet

#include "node_agent/probes/cpu_probe.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

namespace avocet {
namespace {

constexpr int kMaxCoreNumber = 4095;

/// Main ID register, implementer and part, of the processors that edge boards use. From the Linux
/// kernel's arch/arm64/include/asm/cputype.h.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kArmParts = {{
    {"0x41/0xd03", "Cortex-A53"},
    {"0x41/0xd04", "Cortex-A35"},
    {"0x41/0xd05", "Cortex-A55"},
    {"0x41/0xd07", "Cortex-A57"},
    {"0x41/0xd08", "Cortex-A72"},
    {"0x41/0xd09", "Cortex-A73"},
    {"0x41/0xd0a", "Cortex-A75"},
    {"0x41/0xd0b", "Cortex-A76"},
    {"0x41/0xd0c", "Neoverse-N1"},
    {"0x41/0xd0d", "Cortex-A77"},
    {"0x41/0xd41", "Cortex-A78"},
    {"0x41/0xd42", "Cortex-A78AE"},
    {"0x4e/0x003", "NVIDIA Denver 2"},
    {"0x4e/0x004", "NVIDIA Carmel"},
}};

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// Value of the last line "key : value", as big cores come last on mixed processors.
std::optional<std::string_view> Field(std::string_view text, std::string_view key) {
  std::optional<std::string_view> found;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || Trim(line.substr(0, colon)) != key) continue;
    if (const auto value = Trim(line.substr(colon + 1)); !value.empty()) found = value;
  }
  return found;
}

std::string ArmModel(std::string_view implementer, std::string_view part) {
  const std::string id = std::string(implementer) + "/" + std::string(part);
  for (const auto& [known, name] : kArmParts)
    if (known == id) return std::string(name);
  return "arm " + id;
}

std::optional<int> ParseCore(std::string_view text) {
  int core = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), core);
  if (error != std::errc{} || end != text.data() + text.size() || core < 0 || core > kMaxCoreNumber)
    return std::nullopt;
  return core;
}

Result<std::string> ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) return NotFound("cannot read " + path.string());
  return std::string(std::istreambuf_iterator<char>(in), {});
}

} // namespace

std::string ParseCpuModel(std::string_view cpuinfo) {
  if (const auto name = Field(cpuinfo, "model name")) return std::string(*name);
  const auto implementer = Field(cpuinfo, "CPU implementer");
  const auto part = Field(cpuinfo, "CPU part");
  if (implementer && part) return ArmModel(*implementer, *part);
  for (const std::string_view key : {"uarch", "Model", "Hardware"})
    if (const auto name = Field(cpuinfo, key)) return std::string(*name);
  return "unknown";
}

Result<std::vector<int>> ParseCoreList(std::string_view text) {
  std::vector<int> cores;
  std::string_view rest = Trim(text);
  // Made before the loop, which consumes `rest`: the error shows the whole text.
  const Status bad = Corruption("'" + std::string(rest) + "' is not a list of cores such as 0-3,6");

  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));

    const size_t dash = item.find('-');
    const auto first = ParseCore(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : ParseCore(item.substr(dash + 1));
    if (!first || !last || *last < *first) return bad;

    for (int core = *first; core <= *last; ++core)
      cores.push_back(core);
  }

  // The kernel sorts, but a file that a person wrote may not; later code relies on ascending and distinct.
  std::sort(cores.begin(), cores.end());
  cores.erase(std::unique(cores.begin(), cores.end()), cores.end());
  if (cores.empty()) return bad;
  return cores;
}

Result<uint64_t> ParseMemTotal(std::string_view meminfo) {
  const auto value = Field(meminfo, "MemTotal");
  uint64_t kib = 0;
  if (value && value->ends_with(" kB") &&
      std::from_chars(value->data(), value->data() + value->size(), kib).ec == std::errc{} &&
      kib <= std::numeric_limits<uint64_t>::max() / 1024)
    return kib * 1024;
  return Corruption("/proc/meminfo has no line MemTotal in kB");
}

Result<CpuInfo> ProbeCpu(const std::filesystem::path& root) {
  AVOCET_ASSIGN_OR_RETURN(const auto cpuinfo, ReadAll(root / "proc/cpuinfo"));
  AVOCET_ASSIGN_OR_RETURN(const auto online, ReadAll(root / "sys/devices/system/cpu/online"));
  AVOCET_ASSIGN_OR_RETURN(const auto meminfo, ReadAll(root / "proc/meminfo"));
  AVOCET_ASSIGN_OR_RETURN(auto cores, ParseCoreList(online));
  AVOCET_ASSIGN_OR_RETURN(const auto memory, ParseMemTotal(meminfo));
  return CpuInfo{ParseCpuModel(cpuinfo), std::move(cores), memory};
}

// Lower-case letters, digits and dots, everything else one dash.
std::string HardwareSlug(std::string text) {
  for (const std::string_view mark : {"(R)", "(TM)", "(r)", "(tm)"})
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark))
      text.replace(at, mark.size(), " ");
  std::string slug;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = u < 128 && (std::isalnum(u) || c == '.');
    if (plain) slug += static_cast<char>(std::tolower(u));
    if (!plain && !slug.empty() && slug.back() != '-') slug += '-';
  }
  while (!slug.empty() && slug.back() == '-')
    slug.pop_back();
  return slug.empty() ? "unknown" : slug;
}

std::string DeviceType(const DeviceSpec& device, const CpuInfo& cpu) {
  std::string base = std::string(ToString(device.kind)) + "/" + std::string(ToString(device.engine));
  if (device.emulated()) return base;
  return base + "/" + HardwareSlug(cpu.model) + "/" + std::to_string(std::max<size_t>(device.cores.size(), 1)) + "core";
}

Status PinThisThread(std::span<const int> cores) {
  if (cores.empty()) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  std::string list;
  for (const int core : cores) {
    if (core < 0 || core >= CPU_SETSIZE) return InvalidArgument("core " + std::to_string(core) + " does not exist");
    CPU_SET(static_cast<size_t>(core), &set);
    list += (list.empty() ? "" : ",") + std::to_string(core);
  }
  const int error = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
  if (error == 0) return {};
  return InvalidArgument("cannot run on cores " + list + ": " + std::generic_category().message(error));
}

} // namespace avocet

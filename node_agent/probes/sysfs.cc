#include "node_agent/probes/sysfs.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

namespace avocet {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;
constexpr std::string_view kBlank(" \t\r\n\0", 5); // the device tree's strings end in a zero

} // namespace

std::optional<std::string> ReadText(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(kMaxTextBytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return std::nullopt; // a sensor may fail when it is asked
  text.resize(static_cast<size_t>(in.gcount()));
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::optional<int64_t> ReadNumber(const std::filesystem::path& file) {
  const auto text = ReadText(file);
  if (!text) return std::nullopt;
  const bool is_hex = text->starts_with("0x");
  const char* end = text->data() + text->size();
  int64_t number = 0;
  const auto [stop, error] = std::from_chars(text->data() + (is_hex ? 2 : 0), end, number, is_hex ? 16 : 10);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::vector<std::filesystem::path> ListFolder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> entries;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

} // namespace avocet

#include "cli/replay_read.h"

#include <fstream>

#include <fmt/format.h>

namespace avocet {

Result<std::string> ReadWholeFile(const std::filesystem::path& file, size_t most_bytes) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return NotFound(fmt::format("cannot open '{}'; is the path right and readable?", file.string()));
  std::string text;
  std::string chunk(size_t{1} << 16, '\0');
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
    text.append(chunk, 0, static_cast<size_t>(in.gcount()));
    if (text.size() > most_bytes)
      return ResourceExhausted(fmt::format("'{}' is longer than {} bytes; split it", file.string(), most_bytes));
  }
  return text;
}

} // namespace avocet

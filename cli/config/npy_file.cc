#include "cli/config/npy_file.h"

#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

namespace avocet {
namespace {

// The format: numpy.lib.format. A magic text, a version, the length of a header, and the header, a Python dictionary
// such as {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }.
constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionBytes = 2;
constexpr size_t kCodePointBytes = 4; // of a 'U' element

constexpr std::array kTypes{
    std::pair{"f2", "FP16"},   std::pair{"f4", "FP32"},   std::pair{"f8", "FP64"},   std::pair{"i1", "INT8"},
    std::pair{"i2", "INT16"},  std::pair{"i4", "INT32"},  std::pair{"i8", "INT64"},  std::pair{"u1", "UINT8"},
    std::pair{"u2", "UINT16"}, std::pair{"u4", "UINT32"}, std::pair{"u8", "UINT64"}, std::pair{"b1", "BOOL"},
};

Status NotNpy(const std::string& why) {
  return InvalidArgument("not a .npy file that can be read: " + why);
}

/// The header's text, taken off the file.
std::optional<std::string_view> TakeHeader(std::string_view& file) {
  if (!file.starts_with(kMagic) || file.size() < kMagic.size() + kVersionBytes) return std::nullopt;
  const bool is_first_version = file[kMagic.size()] == 1;
  file.remove_prefix(kMagic.size() + kVersionBytes);
  const size_t length_bytes = is_first_version ? 2 : 4;
  if (file.size() < length_bytes) return std::nullopt;
  uint32_t length = 0;
  std::memcpy(&length, file.data(), length_bytes);
  file.remove_prefix(length_bytes);
  if (length > file.size()) return std::nullopt;
  const auto header = file.substr(0, length);
  file.remove_prefix(length);
  return header;
}

/// What follows a key up to one of the ends: "'descr': '" up to "'".
std::optional<std::string_view> Between(std::string_view header, std::string_view begin, char end) {
  const size_t at = header.find(begin);
  if (at == std::string_view::npos) return std::nullopt;
  header.remove_prefix(at + begin.size());
  const size_t length = header.find(end);
  if (length == std::string_view::npos) return std::nullopt;
  return header.substr(0, length);
}

/// "1, 3" or "5,"; empty for a scalar.
std::optional<std::vector<int64_t>> ParseShape(std::string_view text) {
  std::vector<int64_t> shape;
  while (!text.empty()) {
    if (text.front() == ' ' || text.front() == ',') {
      text.remove_prefix(1);
      continue;
    }
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), shape.emplace_back());
    if (error != std::errc{} || shape.back() < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(stop - text.data()));
  }
  return shape;
}

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::string TextOf(std::string_view element, bool is_unicode) {
  std::string text;
  if (!is_unicode) return std::string(element.substr(0, element.find_last_not_of('\0') + 1));
  for (size_t i = 0; i + kCodePointBytes <= element.size(); i += kCodePointBytes) {
    uint32_t code = 0;
    std::memcpy(&code, element.data() + i, kCodePointBytes);
    if (code != 0) AppendUtf8(code, text);
  }
  return text;
}

/// Texts of a fixed width, filled up with zeros, as BYTES: each as long as it is, with its length in front.
std::string AsBytes(std::string_view data, size_t width, bool is_unicode) {
  std::string bytes;
  for (; width > 0 && data.size() >= width; data.remove_prefix(width)) {
    const std::string text = TextOf(data.substr(0, width), is_unicode);
    const auto length = static_cast<uint32_t>(text.size());
    bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
    bytes += text;
  }
  return bytes;
}

Result<NpyArray> Read(std::string_view type, std::vector<int64_t> shape, std::string_view data) {
  for (const auto& [npy, name] : kTypes)
    if (type == npy) return NpyArray{name, std::move(shape), std::string(data)};

  size_t width = 0;
  const bool is_unicode = type.starts_with('U');
  const bool is_text = is_unicode || type.starts_with('S');
  if (is_text) std::from_chars(type.data() + 1, type.data() + type.size(), width);
  if (width == 0 || width > data.size() + 1)
    return NotNpy("elements of type '" + std::string(type) + "'; requests carry numbers, BOOL and texts");
  return NpyArray{"BYTES", std::move(shape), AsBytes(data, is_unicode ? width * kCodePointBytes : width, is_unicode)};
}

} // namespace

Result<NpyArray> ParseNpy(std::string_view file) {
  const auto header = TakeHeader(file);
  if (!header) return NotNpy("no header of NumPy");
  const auto type = Between(*header, "'descr': '", '\'');
  const auto shape_text = Between(*header, "'shape': (", ')');
  if (!type || !shape_text || type->size() < 2) return NotNpy("no element type or no shape in its header");
  auto shape = ParseShape(*shape_text);
  if (!shape) return NotNpy("a shape of '" + std::string(*shape_text) + "'");

  if (type->front() == '>') return NotNpy("big-endian elements; save array.astype(array.dtype.newbyteorder('<'))");
  const bool is_fortran = header->find("'fortran_order': True") != std::string_view::npos;
  if (is_fortran && shape->size() > 1) return NotNpy("Fortran's order; save numpy.ascontiguousarray(array)");
  return Read(type->substr(1), std::move(*shape), file);
}

} // namespace avocet

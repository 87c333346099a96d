#include "messages/ids.h"

#include <algorithm>

namespace avocet {
namespace {

constexpr size_t kMaxNameBytes = 63;
constexpr size_t kMaxVersionDigits = 18; // fits int64_t
constexpr size_t kSha256Digits = 64;

// Not <cctype>: names must not depend on the locale.
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsAlphanumeric(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsNameChar(char c) {
  return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-';
}
bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f');
}

} // namespace

DeviceId MakeDeviceId(const NodeId& node, std::string_view device) {
  return DeviceId(node.str() + "/" + std::string(device));
}

ModelId MakeModelId(std::string_view name, std::string_view version) {
  return ModelId(std::string(name) + ":" + std::string(version));
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && IsAlphanumeric(text[0]) &&
         std::all_of(text.begin(), text.end(), IsNameChar);
}

bool IsVersion(std::string_view text) {
  return !text.empty() && text.size() <= kMaxVersionDigits && (text[0] != '0' || text.size() == 1) &&
         std::all_of(text.begin(), text.end(), IsDigit);
}

bool IsDeviceId(const DeviceId& id) {
  return ParseDeviceId(id.str()).has_value();
}

bool IsModelId(const ModelId& id) {
  const auto parts = ParseModelName(id.str());
  return parts && !parts->version.empty();
}

bool IsSha256(const Sha256& digest) {
  return digest.str().size() == kSha256Digits && std::all_of(digest.str().begin(), digest.str().end(), IsHexDigit);
}

std::optional<ModelName> ParseModelName(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (!IsName(name)) return std::nullopt;
  if (colon == std::string_view::npos) return ModelName{std::string(name), ""};
  const std::string_view version = text.substr(colon + 1);
  if (!IsVersion(version)) return std::nullopt;
  return ModelName{std::string(name), std::string(version)};
}

std::optional<DeviceName> ParseDeviceId(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view node = text.substr(0, slash);
  const std::string_view device = text.substr(slash + 1);
  if (!IsName(node) || !IsName(device)) return std::nullopt;
  return DeviceName{NodeId(std::string(node)), std::string(device)};
}

} // namespace avocet

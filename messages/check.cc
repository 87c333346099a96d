#include "messages/check.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace avocet {
namespace {

constexpr size_t kMaxQuotedBytes = 100;

template <class T> std::string ToChars(T value) {
  char buffer[32];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value).ptr;
  return {buffer, end};
}

} // namespace

std::string Describe(std::string_view text) {
  std::string shown = ToText(text, kMaxQuotedBytes);
  // Refusals are logged: a value from outside must not move a terminal's cursor.
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return "'" + shown + (text.size() > kMaxQuotedBytes ? "...' (" + ToChars(text.size()) + " bytes)" : "'");
}

std::string Describe(double value) {
  return ToChars(value);
}
std::string Describe(Duration value) {
  return ToChars(ToMillis(value)) + " ms";
}
std::string DescribeInteger(int64_t value) {
  return ToChars(value);
}
std::string DescribeInteger(uint64_t value) {
  return ToChars(value);
}

Check& Check::Name(std::string_view field, std::string_view value) {
  return That(IsName(value), field, value,
              "1 to 63 of the characters a-z A-Z 0-9 _ . - and begin with a letter or digit");
}

Check& Check::Device(std::string_view field, const DeviceId& value) {
  return That(IsDeviceId(value), field, value, "<node>/<device>, both names");
}

Check& Check::Model(std::string_view field, const ModelId& value) {
  return That(IsModelId(value), field, value, "<name>:<version>, a name and decimal digits");
}

Check& Check::Digest(std::string_view field, const Sha256& value) {
  return That(IsSha256(value), field, value, "a sha256 digest: 64 lower-case hex digits");
}

Check& Check::Label(std::string_view field, std::string_view value) {
  return That(IsLabel(value), field, value, "1 to 256 bytes of UTF-8 without control characters");
}

Check& Check::Text(std::string_view field, std::string_view value) {
  return That(IsText(value), field, value, "UTF-8 of at most 4096 bytes");
}

Check& Check::Amount(std::string_view field, double value) {
  return That(std::isfinite(value) && value >= 0, field, value, ">= 0 and finite");
}

Check& Check::Length(std::string_view field, size_t length, size_t most) {
  if (status_.ok() && length > most) {
    Fail(field, "a list of " + Describe(length), "at most " + Describe(most) + " long");
  }
  return *this;
}

Check& Check::Part(const Status& part) {
  if (status_.ok() && !part.ok()) status_ = part.WithContext(std::string(kind_) + " " + Describe(name_));
  return *this;
}

void Check::Fail(std::string_view field, const std::string& value, std::string_view rule) {
  std::string text = std::string(kind_) + " " + Describe(name_) + ": field '";
  text.append(field).append("' is ").append(value).append("; it must be ").append(rule);
  status_ = InvalidArgument(std::move(text));
}

} // namespace avocet

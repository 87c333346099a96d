#include "node_agent/formats/protobuf_fields.h"

#include <limits>

namespace avocet {
namespace {

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 127U} << shift;
    if (byte < 128) return value;
  }
  return std::nullopt;
}

/// Bytes that the payload takes; groups, which protobuf abandoned, are refused.
std::optional<uint64_t> TakeSize(std::string_view& bytes, WireType wire) {
  switch (wire) {
  case WireType::kFixed64:
    return 8;
  case WireType::kFixed32:
    return 4;
  case WireType::kBytes:
    return TakeVarint(bytes);
  case WireType::kVarint:
    break;
  }
  return std::nullopt;
}

bool TakePayload(std::string_view& bytes, ProtobufField& field) {
  if (field.wire == WireType::kVarint) {
    const auto value = TakeVarint(bytes);
    field.value = value.value_or(0);
    return value.has_value();
  }
  const auto size = TakeSize(bytes, field.wire);
  // Before the comparison nothing is trusted: lengths in a file may lie.
  if (!size || *size > bytes.size()) return false;
  field.contents = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return true;
}

} // namespace

std::optional<ProtobufField> ProtobufFields::Next() {
  if (!ok_ || rest_.empty()) return std::nullopt;
  const auto key = TakeVarint(rest_);
  ok_ = key.has_value() && *key >> 3 != 0 && *key >> 3 <= std::numeric_limits<uint32_t>::max();
  if (!ok_) return std::nullopt;
  ProtobufField field{static_cast<uint32_t>(*key >> 3), static_cast<WireType>(*key & 7), {}, 0};
  ok_ = TakePayload(rest_, field);
  if (!ok_) return std::nullopt;
  return field;
}

} // namespace avocet

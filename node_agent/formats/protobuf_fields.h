#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "messages/status.h"

namespace avocet {

enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field of a Protocol Buffers message as it stands in the bytes.
struct ProtobufField {
  uint32_t number = 0;
  WireType wire = WireType::kVarint;
  std::string_view contents; ///< all but kVarint
  uint64_t value = 0;        ///< kVarint

  bool Is(uint32_t wanted, WireType its_wire) const { return number == wanted && wire == its_wire; }
};

/// Walks over the fields of a message without a schema. Touches no contents, so that a file of gigabytes costs its
/// lengths alone. Borrows the bytes.
class ProtobufFields {
public:
  explicit ProtobufFields(std::string_view message) : rest_(message) {}
  /// The next field; nothing at the end, or where the bytes are no message: see ok().
  std::optional<ProtobufField> Next();
  bool ok() const { return ok_; }

private:
  std::string_view rest_;
  bool ok_ = true;
};

} // namespace avocet

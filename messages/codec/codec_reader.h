#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// Largest message that is decoded.
inline constexpr size_t kMaxMessageBytes = size_t{64} << 20;

/// For FromProto functions: checks the form of a message and keeps the first thing wrong with it.
class Reader {
public:
  explicit Reader(std::string_view message) : message_(message) {}

  /// `value` as the enumerator of the same number; Enum{} where the message has none or an unknown one.
  template <class Enum, class Proto> Enum Enumerator(std::string_view field, Proto value, bool (*is_valid)(int)) {
    const int number = static_cast<int>(value);
    if (number != 0 && is_valid(number)) return static_cast<Enum>(number);
    Fail(field, number == 0 ? "missing" : "the unknown enumerator " + std::to_string(number));
    return Enum{};
  }

  /// A field whose absence is an error.
  void Present(std::string_view field, bool is_present) {
    if (!is_present) Fail(field, "missing");
  }

  /// Takes over the error of a part.
  void Part(std::string_view field, const Status& status) {
    if (first_.ok() && !status.ok()) first_ = Corruption(Prefix(field) + status.message());
  }

  void Fail(std::string_view field, const std::string& what) {
    if (first_.ok()) first_ = Corruption(Prefix(field) + what);
  }

  /// The first thing wrong so far.
  const Status& status() const { return first_; }

  /// The value, if the form was right and Validate agrees.
  template <class T> Result<T> Finish(T value) {
    if (!first_.ok()) return first_;
    if (const Status valid = Validate(value); !valid.ok()) return Corruption(valid.message());
    return value;
  }

private:
  std::string Prefix(std::string_view field) const {
    return "message " + std::string(message_) + ", field '" + std::string(field) + "': ";
  }

  std::string_view message_;
  Status first_;
};

inline int64_t ToNanos(WallTime time) {
  return std::chrono::duration_cast<Duration>(time.time_since_epoch()).count();
}
inline WallTime WallTimeOf(int64_t nanos) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(Duration(nanos)));
}

/// Parses bytes and hands the message to FromProto.
template <class T, class Proto> Result<T> DecodeAs(std::string_view bytes) {
  Proto proto;
  const std::string name(Proto::descriptor()->name());
  if (bytes.size() > kMaxMessageBytes) return Corruption("message " + name + ": longer than 64 MiB");
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Corruption("message " + name + ": " + std::to_string(bytes.size()) + " bytes do not parse");
  }
  return FromProto(proto);
}

} // namespace avocet

/// Encode and Decode of a type that has ToProto and FromProto.
#define AVOCET_BYTES(Type)                                                                                             \
  std::string Encode(const Type& value) {                                                                              \
    return ToProto(value).SerializeAsString();                                                                         \
  }                                                                                                                    \
  Result<Type> Decode(std::string_view bytes, const Type* /*tag*/) {                                                   \
    return DecodeAs<Type, v1::Type>(bytes);                                                                            \
  }

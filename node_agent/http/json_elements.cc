#include "node_agent/http/json_elements.h"

#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "node_agent/tensors/tensor_contents.h"

namespace avocet {

Result<JsonElements> JsonElements::For(TensorSpec spec, size_t most_bytes, size_t most_elements) {
  const std::string subject = InputSubject(spec.name);
  if (IsRawOnly(spec.type))
    return InvalidArgument(subject + ": " + std::string(ToString(spec.type)) +

                           " has no JSON form; send it as binary data");
  // Before anything is allocated: a shape of a billion elements costs a client ten bytes.
  AVOCET_ASSIGN_OR_RETURN(const auto count, ElementCount(spec));
  if (count > most_elements) return InvalidArgument(subject + " has fewer elements than " + Describe(spec) + " takes");
  // Divided, not multiplied: the product could overflow.
  const size_t size = spec.type == DataType::kBytes ? kLengthPrefix : ElementSize(spec.type);
  if (count > most_bytes / size)
    return ResourceExhausted(subject + ": " + Describe(spec) + " takes more than the " + std::to_string(most_bytes) +

                             " bytes that a request may hold");
  // BYTES grow by what comes, as their lengths are not known.
  JsonElements elements(std::move(spec), count);
  if (elements.spec_.type != DataType::kBytes) elements.bytes_.resize(count * size);
  return elements;
}

bool JsonElements::Fail(std::string_view what) {
  if (wrong_.ok())
    wrong_ =
        InvalidArgument(InputSubject(spec_.name) + ": element " + std::to_string(found_) + " " + std::string(what));
  return false;
}

bool JsonElements::HasRoom() {
  if (found_ < count_) return true;
  if (wrong_.ok())
    wrong_ = InvalidArgument(InputSubject(spec_.name) + " has more elements than " + Describe(spec_) + " takes");
  return false;
}

template <class To> bool JsonElements::Store(To value) {
  if (!HasRoom()) return false;
  std::memcpy(bytes_.data() + found_ * sizeof(To), &value, sizeof(To));
  ++found_;
  return true;
}

template <class To, class From> bool JsonElements::Narrow(From value) {
  if (!std::in_range<To>(value)) return Fail("(" + std::to_string(value) + ") does not fit into " + Describe(spec_));
  return Store(static_cast<To>(value));
}

template <class Number> bool JsonElements::Integer(Number value) {
  bool is_stored = false;
  const bool is_number = VisitNumber(spec_.type, [&]<class To>() {
    if constexpr (std::is_floating_point_v<To>)
      is_stored = Store(static_cast<To>(value));
    else
      is_stored = Narrow<To>(value);
  });
  if (is_number) return is_stored;

  if (spec_.type != DataType::kBool) return Fail("is a number, not a string");
  return value == 0 || value == 1 ? Store(static_cast<uint8_t>(value)) : Fail("is no boolean");
}

bool JsonElements::Signed(int64_t value) {
  return Integer(value);
}

bool JsonElements::Unsigned(uint64_t value) {
  return Integer(value);
}

bool JsonElements::Bool(bool value) {
  return spec_.type == DataType::kBool ? Store(static_cast<uint8_t>(value)) : Fail("is a boolean");
}

bool JsonElements::Double(double value) {
  if (spec_.type == DataType::kFp32) return Store(static_cast<float>(value));
  if (spec_.type == DataType::kFp64) return Store(value);
  return Fail("is no whole number");
}

bool JsonElements::Text(std::string_view value) {
  if (spec_.type != DataType::kBytes) return Fail("is a string");
  if (!HasRoom()) return false;
  AppendByteString(value, bytes_);
  ++found_;
  return true;
}

Result<std::vector<std::byte>> JsonElements::Finish() {
  AVOCET_RETURN_IF_ERROR(wrong_);
  if (found_ == count_) return std::move(bytes_);
  return InvalidArgument(InputSubject(spec_.name) + " has " + std::to_string(found_) + " elements, " + Describe(spec_) +
                         " takes " + std::to_string(count_));
}

} // namespace avocet

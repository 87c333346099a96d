#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "messages/status.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// Turns the elements of a JSON array into a tensor's bytes, in the order in which they come. Each
/// call is false once something is wrong; Finish then says what.
class JsonElements {
public:
  /// `most_bytes`: of the tensor; `most_elements`: more than the text can hold are refused before
  /// anything is allocated. kInvalidArgument: sizes, FP16 and BF16 (JSON has no elements for them).
  static Result<JsonElements> For(TensorSpec spec, size_t most_bytes, size_t most_elements);

  bool Bool(bool value);
  bool Signed(int64_t value);
  bool Unsigned(uint64_t value);
  bool Double(double value);
  bool Text(std::string_view value);
  bool Fail(std::string_view what);

  /// The bytes, once all elements came; kInvalidArgument names the input and what is wrong.
  Result<std::vector<std::byte>> Finish();
  const TensorSpec& spec() const { return spec_; }
  /// What was wrong so far; ok when all elements that came were right.
  const Status& wrong() const { return wrong_; }
  size_t found() const { return found_; } ///< elements that came and were right

private:
  JsonElements(TensorSpec spec, size_t count) : spec_(std::move(spec)), count_(count) {}
  template <class To, class From> bool Narrow(From value);
  template <class Number> bool Integer(Number value);
  template <class To> bool Store(To value);
  bool HasRoom();

  TensorSpec spec_;
  size_t count_ = 0; ///< elements that the shape asks for
  size_t found_ = 0;
  std::vector<std::byte> bytes_;
  Status wrong_;
};

} // namespace avocet

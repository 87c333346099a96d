#include "node_agent/inference/classification.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include "messages/invariant.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

template <class Number> Number At(std::span<const std::byte> data, size_t i) {
  Number value;
  std::memcpy(&value, data.data() + i * sizeof(Number), sizeof(Number));
  return value;
}

/// A total order, as sorting needs it, although not-a-number compares with nothing.
template <class Number> bool IsLarger(Number a, Number b) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a);
  }
  return a > b;
}

/// Never holds more than `most` indexes, however many elements there are.
template <class Number> std::vector<size_t> IndexesOfLargest(std::span<const std::byte> data, uint32_t most) {
  const size_t count = data.size() / sizeof(Number);

  // Equal values keep the order of their indexes, so that the answer does not depend on how the heap was built.
  const auto comes_first = [&](size_t i, size_t j) {
    const Number a = At<Number>(data, i), b = At<Number>(data, j);
    if (IsLarger(a, b) != IsLarger(b, a)) return IsLarger(a, b);
    return i < j;
  };

  std::vector<size_t> top; // a heap, in front the one that would have to go

  // A heap of `most` entries, not a sorted copy: an output may have a million elements, of which five are asked for.
  for (size_t i = 0; i < count; ++i) {
    if (top.size() == most) {
      if (!comes_first(i, top.front())) continue;
      std::pop_heap(top.begin(), top.end(), comes_first);
      top.pop_back();
    }
    top.push_back(i);
    std::push_heap(top.begin(), top.end(), comes_first);
  }

  std::sort_heap(top.begin(), top.end(), comes_first);
  return top;
}

template <class Number> void Fill(std::span<const std::byte> data, uint32_t most, Tensor& classes) {
  const std::vector<size_t> top = IndexesOfLargest<Number>(data, most);
  for (const size_t index : top)
    AppendByteString(std::to_string(At<Number>(data, index)) + ":" + std::to_string(index), classes.data);
  classes.spec.shape = {static_cast<int64_t>(top.size())};
}

} // namespace

Result<uint32_t> ClassesOf(const ParameterValue& parameter) {
  const auto* number = std::get_if<int64_t>(&parameter);
  const auto* wide = std::get_if<uint64_t>(&parameter);
  const bool is_valid = wide != nullptr ? *wide <= kMaxClasses : number && *number >= 0 && *number <= kMaxClasses;
  if (!is_valid) return InvalidArgument("classification must be an integer 0 .. " + std::to_string(kMaxClasses));
  return static_cast<uint32_t>(wide != nullptr ? *wide : static_cast<uint64_t>(*number));
}

Tensor Classify(const Tensor& output, uint32_t most) {
  Tensor classes{{output.spec.name, DataType::kBytes, {0}}, {}};
  AVOCET_CHECK(most > 0);
  const bool is_compared =
      VisitNumber(output.spec.type, [&]<class Number>() { Fill<Number>(output.data, most, classes); });
  AVOCET_CHECK(is_compared);
  return classes;
}

std::vector<Tensor> ClassifyOutputs(InferenceAnswer& answer) {
  std::vector<Tensor> made;
  made.reserve(answer.classes.size());
  for (size_t i = 0; i < answer.classes.size(); ++i) {
    if (answer.classes[i] > 0) answer.outputs[i] = &made.emplace_back(Classify(*answer.outputs[i], answer.classes[i]));
  }
  return made;
}

} // namespace avocet

#include "node_agent/tensors/probe_inputs.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

using Bytes = std::vector<std::byte>;

constexpr uint16_t kHalfOne = 0x3c00;  ///< 1 as an FP16
constexpr uint16_t kHalfHalf = 0x3800; ///< 0.5; the 1,024 values from here on are below 1
constexpr uint16_t kBrainOne = 0x3f80; ///< 1 as a BF16
constexpr uint64_t kWholeNumbers = 128;

template <class Number> void Append(Number number, Bytes& data) {
  const auto bytes = std::as_bytes(std::span(&number, 1));
  data.insert(data.end(), bytes.begin(), bytes.end());
}

void AppendText(uint64_t digit, Bytes& data) {
  const std::string text = std::to_string(digit % 10);
  AppendByteString(text, data);
}

/// Appends elements of one type, one after the other.
class Filler {
public:
  Filler(SampleFill fill, uint64_t seed) : fill_(fill), random_(seed) {}

  void Add(DataType type, Bytes& data) {
    const bool is_number = VisitNumber(type, [&]<class Number>() { Append(Next<Number>(), data); });
    if (is_number) return;
    if (type == DataType::kBool) return Append(static_cast<uint8_t>(Whole() % 2), data);
    if (type == DataType::kBytes) return AppendText(Whole(), data);
    if (fill_ == SampleFill::kRandom)
      return Append(
          static_cast<uint16_t>(type == DataType::kFp16 ? kHalfHalf + random_() % 1024 : random_() % kBrainOne), data);
    const uint16_t one = type == DataType::kFp16 ? kHalfOne : kBrainOne;
    Append(static_cast<uint16_t>(fill_ == SampleFill::kOnes ? one : 0), data);
  }

private:
  uint64_t Whole() {
    if (fill_ == SampleFill::kRandom) return random_() % kWholeNumbers;
    return fill_ == SampleFill::kOnes ? 1 : 0;
  }
  template <class Number> Number Next() {
    if (std::is_integral_v<Number> || fill_ != SampleFill::kRandom) return static_cast<Number>(Whole());
    return static_cast<Number>(std::uniform_real_distribution<double>(0, 1)(random_));
  }

  SampleFill fill_;
  std::mt19937_64 random_;
};

std::string Subject(const TensorSpec& spec) {
  return "input '" + spec.name + "'";
}

std::string SuffixOfType(DataType type) {
  return " of type " + std::string(ToString(type));
}

Status CheckShape(const TensorSpec& input, const std::vector<int64_t>& given) {
  const bool fits = std::equal(input.shape.begin(), input.shape.end(), given.begin(), given.end(),
                               [](int64_t wanted, int64_t extent) { return wanted < 0 || wanted == extent; });
  if (fits) return {};
  return InvalidArgument(Subject(input) + " is " + Describe(input) + " in the model; the shape " +
                         Describe({input.name, input.type, given}) + " does not fit");
}

/// Elements that a file holds.
Result<size_t> CountElements(const TensorSpec& input, std::span<const std::byte> data) {
  if (input.type == DataType::kBytes) {
    size_t count = 0;
    while (TakeByteString(data))
      ++count;
    if (data.empty()) return count;
    return InvalidArgument(Subject(input) + ": the file holds no elements" + SuffixOfType(input.type) +
                           ": each has its length in front, 4 bytes");
  }
  const size_t element = ElementSize(input.type);
  if (data.size() % element == 0) return data.size() / element;
  return InvalidArgument(Subject(input) + ": a file of " + std::to_string(data.size()) +
                         " bytes holds no whole number of elements" + SuffixOfType(input.type));
}

/// The shape that the file's size leaves: one open extent can be told from it.
Result<std::vector<int64_t>> ShapeOfFile(const TensorSpec& input, std::span<const std::byte> data) {
  std::vector<int64_t> shape = input.shape;
  const auto open = std::find_if(shape.begin(), shape.end(), [](int64_t extent) { return extent < 0; });
  if (open == shape.end()) return shape;
  if (std::find_if(open + 1, shape.end(), [](int64_t extent) { return extent < 0; }) != shape.end())
    return InvalidArgument(Subject(input) + " is " + Describe(input) +
                           ": more than one open extent; give its shape, too, or a .npy file");
  AVOCET_ASSIGN_OR_RETURN(const auto count, CountElements(input, data));
  *open = 1;
  AVOCET_ASSIGN_OR_RETURN(const auto others, ElementCount({input.name, input.type, shape}));
  if (others != 0) *open = static_cast<int64_t>(count / others);
  return shape;
}

Result<Tensor> FromFile(const TensorSpec& input, const GivenInput& given) {
  const SampleInput& sample = given.sample;
  if (!sample.data_type.empty() && sample.data_type != ToString(input.type))
    return InvalidArgument(Subject(input) + " is " + Describe(input) + ", the file has elements of type " +
                           sample.data_type);
  Tensor tensor{input, given.data};
  if (sample.shape) {
    tensor.spec.shape = *sample.shape;
  } else {
    AVOCET_ASSIGN_OR_RETURN(tensor.spec.shape, ShapeOfFile(input, given.data));
  }
  AVOCET_RETURN_IF_ERROR(CheckShape(input, tensor.spec.shape));
  AVOCET_RETURN_IF_ERROR(CheckContents(tensor.spec, tensor.data).WithContext("the file given for it"));
  return tensor;
}

Result<Tensor> Filled(TensorSpec spec, SampleFill fill, uint64_t seed) {
  AVOCET_ASSIGN_OR_RETURN(const auto count, ElementCount(spec));
  const size_t element = std::max(ElementSize(spec.type), kLengthPrefix);
  if (count > kMaxSampleBytes / element)
    return ResourceExhausted(Subject(spec) + " is " + Describe(spec) + ": more than the 256 MiB that are invented");
  Tensor tensor{std::move(spec), {}};
  tensor.data.reserve(count * element);
  Filler filler(fill, seed);
  for (size_t i = 0; i < count; ++i)
    filler.Add(tensor.spec.type, tensor.data);
  return tensor;
}

Result<Tensor> MakeInput(TensorSpec input, const GivenInput* given, SampleFill others) {
  if (given && given->sample.fill == SampleFill::kFile) return FromFile(input, *given);
  const SampleFill fill = given ? given->sample.fill : others;
  if (given && given->sample.shape) {
    AVOCET_RETURN_IF_ERROR(CheckShape(input, *given->sample.shape));
    input.shape = *given->sample.shape;
  }
  std::replace_if(
      input.shape.begin(), input.shape.end(), [](int64_t extent) { return extent < 0; }, int64_t{1});
  return Filled(std::move(input), fill, given ? given->sample.seed : 0);
}

Status CheckNames(const ModelSignature& signature, std::span<const GivenInput> given) {
  for (const GivenInput& one : given) {
    const auto has_name = [&](const TensorSpec& input) { return input.name == one.sample.name; };
    if (std::any_of(signature.inputs.begin(), signature.inputs.end(), has_name)) continue;
    std::string names;
    for (const TensorSpec& input : signature.inputs)
      names += (names.empty() ? "" : ", ") + input.name;
    return InvalidArgument("the model has no input '" + one.sample.name + "'; it has " + names);
  }
  return {};
}

} // namespace

Result<std::shared_ptr<const ProbeInputs>> ProbeInputs::Make(const ModelSignature& signature,
                                                             std::span<const GivenInput> given, SampleFill others) {
  AVOCET_RETURN_IF_ERROR(CheckNames(signature, given));
  auto inputs = std::make_shared<ProbeInputs>();
  for (const TensorSpec& input : signature.inputs) {
    const auto found =
        std::find_if(given.begin(), given.end(), [&](const auto& g) { return g.sample.name == input.name; });
    AVOCET_ASSIGN_OR_RETURN(auto tensor, MakeInput(input, found == given.end() ? nullptr : &*found, others));
    inputs->tensors_.push_back(std::move(tensor));
  }
  for (const Tensor& tensor : inputs->tensors_)
    inputs->views_.push_back({tensor.spec, tensor.data});
  return std::shared_ptr<const ProbeInputs>(std::move(inputs));
}

} // namespace avocet

#include "cli/load/load_tensors.h"

#include <cstring>
#include <random>

#include <fmt/format.h>

namespace avocet {
namespace {

constexpr size_t kEmptyStringBytes = 4; ///< its length, as unsigned 32-bit integer

template <class T> void FillFloats(std::string& bytes, std::mt19937_64& random) {
  std::uniform_real_distribution<T> uniform(0, 1);
  for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    const T value = uniform(random);
    std::memcpy(&bytes[at], &value, sizeof(T));
  }
}

void FillBytes(std::string& bytes, std::mt19937_64& random, uint64_t mask) {
  for (char& byte : bytes)
    byte = static_cast<char>(random() & mask);
}

void FillRandom(DataType type, std::string& bytes, std::mt19937_64& random) {
  // Floats are drawn as numbers: random bits would include NaN and denormals, which slow engines down.
  switch (type) {
  case DataType::kFp32:
    return FillFloats<float>(bytes, random);
  case DataType::kFp64:
    return FillFloats<double>(bytes, random);
  case DataType::kBool:
    // Any byte but 0 and 1 is an invalid truth value.
    return FillBytes(bytes, random, 1);
  case DataType::kUint8:
  case DataType::kUint16:
  case DataType::kUint32:
  case DataType::kUint64:
  case DataType::kInt8:
  case DataType::kInt16:
  case DataType::kInt32:
  case DataType::kInt64:
    return FillBytes(bytes, random, 0xFF);
  case DataType::kFp16:
  case DataType::kBf16:
  case DataType::kBytes:
    // These stay zero: random bits would be NaN, or strings of impossible length.
    return;
  }
}

Result<size_t> BytesOf(TensorSpec spec) {
  const bool strings = spec.type == DataType::kBytes;
  if (strings) spec.type = DataType::kUint32;
  static_assert(kEmptyStringBytes == sizeof(uint32_t));
  return ByteSize(spec);
}

} // namespace

TensorSpec Concrete(TensorSpec spec) {
  for (int64_t& extent : spec.shape)
    if (extent < 0) extent = 1;
  return spec;
}

Result<std::string> MakeTensorBytes(const TensorSpec& spec, TensorFill fill, uint64_t seed) {
  AVOCET_ASSIGN_OR_RETURN(const auto size, BytesOf(spec));
  if (size > kMaxLoadTensorBytes)
    return ResourceExhausted(fmt::format("input '{}' {} has {} bytes; at most {} are sent", spec.name, Describe(spec),
                                         size, kMaxLoadTensorBytes));
  std::string bytes(size, '\0');
  std::mt19937_64 random(seed);
  if (fill == TensorFill::kRandom) FillRandom(spec.type, bytes, random);
  return bytes;
}

} // namespace avocet

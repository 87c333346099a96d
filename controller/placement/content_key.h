#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace avocet {

/// 128 bits that stand for the content of a value: equal content, equal key; by chance two contents share one about
/// once in 1e20 pairs of a full PredictionCache. Order matters.
class ContentKey {
public:
  ContentKey& Add(uint64_t word) {
    first_ = Mix(first_ ^ word, 0x9e3779b97f4a7c15ULL);
    second_ = Mix(second_ + word, 0xc2b2ae3d27d4eb4fULL);
    return *this;
  }
  ContentKey& Add(double number) { return Add(std::bit_cast<uint64_t>(number)); }
  ContentKey& Add(std::string_view text) { return Add(static_cast<uint64_t>(std::hash<std::string_view>()(text))); }
  ContentKey& Add(const ContentKey& other) { return Add(other.first_).Add(other.second_); }

  friend bool operator==(const ContentKey&, const ContentKey&) = default;
  struct Hash {
    size_t operator()(const ContentKey& key) const { return key.first_; }
  };

private:
  /// Folds the product of 128 bits, in which every bit of both spreads (as wyhash does).
  static uint64_t Mix(uint64_t a, uint64_t odd) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * odd;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64U);
  }

  uint64_t first_ = 0x243f6a8885a308d3ULL;
  uint64_t second_ = 0x13198a2e03707344ULL;
};

} // namespace avocet

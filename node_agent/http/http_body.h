#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace avocet {

/// A request's body in one piece, placed so that what follows the JSON - the first raw tensor - lies on
/// a cache line, as engines like it. Not initialised: the socket fills it.
class HttpBody {
public:
  static constexpr size_t kAlignment = 64;

  HttpBody() = default;
  HttpBody(size_t bytes, size_t json_bytes)
      : offset_((kAlignment - json_bytes % kAlignment) % kAlignment), bytes_(bytes),
        memory_(static_cast<std::byte*>(std::aligned_alloc(kAlignment, RoundedUp(offset_ + bytes)))) {
    if (memory_ == nullptr) throw std::bad_alloc();
  }

  /// Keeps only the first `bytes`.
  void Truncate(size_t bytes) { bytes_ = bytes; }

  std::span<std::byte> bytes() { return {memory_.get() + offset_, bytes_}; }
  std::span<const std::byte> bytes() const { return {memory_.get() + offset_, bytes_}; }

private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  static size_t RoundedUp(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

  size_t offset_ = 0;
  size_t bytes_ = 0;
  std::unique_ptr<std::byte, Free> memory_;
};

} // namespace avocet

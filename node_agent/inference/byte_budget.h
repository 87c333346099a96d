#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "messages/invariant.h"
#include "messages/status.h"

namespace avocet {

/// A bound on bytes that many requests hold together. Thread-safe; outlives its leases.
class ByteBudget {
public:
  explicit ByteBudget(uint64_t limit) : limit_(limit) {}
  uint64_t limit() const { return limit_; }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

  /// A share of the budget, given back when it dies.
  class Lease {
  public:
    Lease() = default;
    explicit Lease(ByteBudget& budget) : budget_(&budget) {}
    ~Lease() { Release(); }
    Lease(Lease&& other) noexcept : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
    Lease& operator=(Lease&& other) noexcept {
      Release();
      budget_ = other.budget_;
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }

    /// Takes so many bytes more; false when the limit would be exceeded, and then takes none.
    [[nodiscard]] bool TryGrow(uint64_t bytes) {
      uint64_t used = budget_->used_.load(std::memory_order_relaxed);
      do {
        if (bytes > budget_->limit_ || used > budget_->limit_ - bytes) return false;
      } while (!budget_->used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
      bytes_ += bytes;
      return true;
    }
    /// As TryGrow, with the refusal in words for clients: kUnavailable.
    Status Reserve(uint64_t bytes) {
      if (TryGrow(bytes)) return {};
      return Unavailable("requests in flight hold " + std::to_string(budget_->used()) + " of " +
                         std::to_string(budget_->limit()) + " bytes; retry");
    }
    /// Takes what exists already (an answer), beyond the limit if need be: the next TryGrow waits for it.
    void Grow(uint64_t bytes) {
      budget_->used_.fetch_add(bytes, std::memory_order_relaxed);
      bytes_ += bytes;
    }
    /// Gives back so many bytes. Requires that the lease has them: else others' shares would be given away.
    void Shrink(uint64_t bytes) {
      AVOCET_CHECK(bytes <= bytes_);
      budget_->used_.fetch_sub(bytes, std::memory_order_relaxed);
      bytes_ -= bytes;
    }
    void Release() {
      if (bytes_ > 0) budget_->used_.fetch_sub(std::exchange(bytes_, 0), std::memory_order_relaxed);
    }

  private:
    ByteBudget* budget_ = nullptr;
    uint64_t bytes_ = 0;
  };

private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_ = 0;
};

} // namespace avocet

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "messages/invariant.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

/// What the leases of one client, or of one application, hold of a budget together. Thread-safe.
class BudgetShare {
public:
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

private:
  friend class ByteBudget;
  std::atomic<uint64_t> bytes_ = 0;
};

/// A bound on bytes that many requests hold together, divided so that nobody takes all of it (dynamic thresholds, as
/// switches share their packet memory: Choudhury and Hahne 1998). What a lease, a client or an application may hold
/// follows from what is left free then: a lease as much, a client or an application twice as much. All of these
/// together leave an eighth of the budget. Small leases, of up to kTiny or a sixty-fourth of what is left free, may
/// take that, too: they only have to leave a sixteenth of what their client or application holds. Thread-safe; outlives
/// its leases.
class ByteBudget {
public:
  static constexpr uint64_t kTiny = 16 * 1024; ///< a lease that is no larger hardly hurts others

  explicit ByteBudget(uint64_t limit) : limit_(limit) {}
  uint64_t limit() const { return limit_; }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  /// The most that one lease can ever hold.
  uint64_t most_of_one() const;
  /// kResourceExhausted when one lease can never hold so many bytes: it is of no use to try again.
  Status CheckPossible(uint64_t bytes) const;

  /// A share of the budget, given back when it dies.
  class Lease {
  public:
    Lease() = default;
    explicit Lease(ByteBudget& budget, std::shared_ptr<BudgetShare> client = nullptr)
        : budget_(&budget), client_(std::move(client)) {}
    ~Lease() { Release(); }
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;

    /// From now on the bytes are this application's, too, until Release.
    void ChargeTo(std::shared_ptr<BudgetShare> app);
    /// Takes so many bytes more; false when they are not to be had now, and then takes none.
    [[nodiscard]] bool TryGrow(uint64_t bytes);
    /// As TryGrow, with the refusal in words for clients: kUnavailable, or as CheckPossible.
    Status Reserve(uint64_t bytes);
    /// Takes what exists already and is small (an error's text), beyond the limit if need be.
    void Grow(uint64_t bytes) { Add(bytes, true); }
    /// Gives back so many bytes. Requires that the lease has them: else others' shares would be given away.
    void Shrink(uint64_t bytes);
    void Release();
    uint64_t bytes() const { return bytes_; }

  private:
    void Add(uint64_t bytes, bool in_budget);
    bool MayGrow(uint64_t bytes, uint64_t used) const;

    ByteBudget* budget_ = nullptr;
    std::shared_ptr<BudgetShare> client_; ///< null: nobody's in particular
    std::shared_ptr<BudgetShare> app_;    ///< null: not known yet
    uint64_t bytes_ = 0;
  };

private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_ = 0;
};

/// The shares of those who hold something, by a name. Forgets those whose owners are all gone. Thread-safe.
class BudgetShares {
public:
  std::shared_ptr<BudgetShare> Of(const std::string& name);

private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<BudgetShare>> shares_;
  size_t forget_at_ = 64; ///< entries
};

} // namespace avocet

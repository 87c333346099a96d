#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "messages/log_budget.h"
#include "messages/units.h"

namespace avocet {

/// How much each of many peers may cause: `burst` at once, then one per `interval`. Those that spent nothing lately are
/// forgotten. Beyond `max_keys` that did, further ones share one budget, so that inventing names gains nothing. Time is
/// passed in. Not thread-safe.
template <class Key> class KeyedBudget {
public:
  using Time = LogBudget::Time;

  struct Options {
    int burst = 1;
    Duration interval{};
    size_t max_keys = 8192;
  };

  explicit KeyedBudget(Options options) : options_(options), others_(options.burst, options.interval) {}

  /// Whether `key` may cause one more at `now`, which never goes back.
  bool Take(const Key& key, Time now) { return BudgetOf(key, now).Take(now); }

  /// How many were refused to `key` since this was asked last.
  uint64_t TakeDropped(const Key& key) {
    const auto spender = spenders_.find(key);
    return spender == spenders_.end() ? others_.TakeDropped() : spender->second.budget.TakeDropped();
  }

  size_t size() const { return spenders_.size(); }

private:
  struct Spender {
    LogBudget budget;
    Time last{};
  };

  LogBudget& BudgetOf(const Key& key, Time now) {
    if (!spenders_.contains(key) && spenders_.size() >= options_.max_keys) ForgetIdle(now);
    if (!spenders_.contains(key) && spenders_.size() >= options_.max_keys) return others_;
    auto& spender = spenders_.try_emplace(key, Spender{LogBudget(options_.burst, options_.interval)}).first->second;
    spender.last = now;
    return spender.budget;
  }

  /// Those whose budget is whole again. At most once an interval: it looks at all.
  void ForgetIdle(Time now) {
    if (now - looked_ < options_.interval) return;
    looked_ = now;
    const Duration whole = options_.interval * options_.burst;
    std::erase_if(spenders_, [&](const auto& one) { return now - one.second.last > whole; });
  }

  Options options_;
  LogBudget others_;
  std::map<Key, Spender> spenders_;
  Time looked_{};
};

} // namespace avocet

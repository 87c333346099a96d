#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "controller/placement/content_key.h"

namespace avocet {

/// Caches values by content. Bounded: of two generations the older is forgotten when the younger is full. That
/// takes no long moment: it is given up bit by bit, while the next generation grows.
template <class Value> class Memo {
public:
  explicit Memo(size_t generation) : generation_(generation) {}

  /// The cached value, or what `compute` makes, which is then cached. Valid until the next call.
  template <class Compute> const Value& Get(const ContentKey& key, const Compute& compute) {
    const auto found = young_.find(key);
    if (found != young_.end()) return found->second;
    auto aged = old_.extract(key);
    MakeRoom();
    if (aged) return young_.insert(std::move(aged)).position->second;
    return young_.emplace(key, compute()).first->second;
  }
  size_t size() const { return young_.size() + old_.size(); }

private:
  using Generation = std::unordered_map<ContentKey, Value, ContentKey::Hash>;
  static constexpr int kForgottenAtOnce = 2;

  void MakeRoom() {
    for (int i = 0; i < kForgottenAtOnce && !forgotten_.empty(); ++i)
      forgotten_.erase(forgotten_.begin());
    if (young_.size() < generation_) return;
    forgotten_ = std::exchange(old_, std::exchange(young_, Generation()));
    young_.reserve(generation_); // else its table is made anew again and again
  }

  size_t generation_;
  Generation young_;
  Generation old_;
  Generation forgotten_;
};

} // namespace avocet

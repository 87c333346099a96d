#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "controller/placement/content_key.h"

namespace avocet {

/// What a generation of a Memo is full of: values.
struct CountsOne {
  template <class Value> size_t operator()(const Value&) const { return 1; }
};

/// Caches values by content. Bounded: of two generations the older is forgotten when the younger weighs as much as a
/// generation may. That takes no long moment: it is given up bit by bit, while the next generation grows.
template <class Value, class Weight = CountsOne> class Memo {
public:
  /// What a generation may weigh, its last value not counted.
  explicit Memo(size_t generation) : generation_(generation) {}

  /// The cached value, or what `compute` makes, which is then cached. Valid until the next call.
  template <class Compute> const Value& Get(const ContentKey& key, const Compute& compute) {
    const auto found = young_.find(key);
    if (found != young_.end()) return found->second;
    auto aged = old_.extract(key);
    MakeRoom();
    const Value& value = aged ? young_.insert(std::move(aged)).position->second //
                              : young_.emplace(key, compute()).first->second;
    weight_ += Weight()(value);
    return value;
  }
  size_t size() const { return young_.size() + old_.size(); }

private:
  using Generation = std::unordered_map<ContentKey, Value, ContentKey::Hash>;
  static constexpr int kForgottenAtOnce = 2;

  void MakeRoom() {
    for (int i = 0; i < kForgottenAtOnce && !forgotten_.empty(); ++i)
      forgotten_.erase(forgotten_.begin());
    if (weight_ < generation_) return;
    weight_ = 0;
    forgotten_ = std::exchange(old_, std::exchange(young_, Generation()));
    young_.reserve(old_.size()); // else its table is made anew again and again
  }

  size_t generation_;
  size_t weight_ = 0; ///< of the young ones
  Generation young_;
  Generation old_;
  Generation forgotten_;
};

} // namespace avocet

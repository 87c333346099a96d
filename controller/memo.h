#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "controller/content_key.h"

namespace avocet {

/// Remembers values by content. Bounded: of two generations the older is forgotten when the younger is full.
template <class Value> class Memo {
public:
  explicit Memo(size_t generation) : generation_(generation) {}

  /// The remembered value, or what `compute` makes, which is remembered. Valid until the next call.
  template <class Compute> const Value& Get(const ContentKey& key, const Compute& compute) {
    const auto found = young_.find(key);
    if (found != young_.end()) return found->second;
    const auto aged = old_.find(key);
    Value value = aged != old_.end() ? aged->second : compute();
    if (young_.size() >= generation_) {
      old_ = std::move(young_);
      young_.clear();
    }
    return young_.insert_or_assign(key, std::move(value)).first->second;
  }
  size_t size() const { return young_.size() + old_.size(); }

private:
  size_t generation_;
  std::unordered_map<ContentKey, Value, ContentKey::Hash> young_;
  std::unordered_map<ContentKey, Value, ContentKey::Hash> old_;
};

} // namespace avocet

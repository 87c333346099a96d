#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "tests/support/arbitrary.h"

/// What several generators of arbitrary.h are made of. Each call draws a value: only within rc::gen::exec.
namespace avocet {

inline constexpr size_t kMaxElements = 4; ///< of generated lists: enough for order and duplicates to matter

/// From `low` to `high`, both included.
template <class T> T Integer(T low, T high) {
  if (low == high) return low;
  return *rc::gen::oneOf(rc::gen::element(low, high), rc::gen::resize(100, rc::gen::inRange<T>(low, high)));
}

uint64_t AnyCount();
/// At least 1.
uint64_t PositiveCount();
/// From 1 to kMaxEpoch.
uint64_t AnyEpoch();
size_t ListLength(size_t least, size_t most = kMaxElements);

ModelFormat AnyFormat();
Statistic AnyStatistic();
Duration NonNegative();
AppId AnyApp();
rc::Gen<AppId> AppIds();

/// Distinct ids, ascending.
template <class IdType> std::vector<IdType> DistinctIds(const rc::Gen<IdType>& gen, size_t least = 0) {
  std::set<IdType> ids;
  const size_t length = ListLength(least);
  while (ids.size() < length)
    ids.insert(*gen);
  return {ids.begin(), ids.end()};
}

} // namespace avocet

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "messages/placement.h"
#include "messages/removal.h"

namespace avocet {

/// So many are remembered: one more drops the one of the lowest epoch, whose copies then count as unknown.
inline constexpr size_t kMaxRemovals = 4096;

/// The applications that were removed and not applied again. A controller stops a copy only when it knows that the
/// copy is not wanted: it may have lost records (an old copy of them was restored, the disk was replaced), and what it
/// does not know may serve somebody. Pure. Not thread-safe.
class Removals {
public:
  Removals() = default;
  /// As they were on disk.
  explicit Removals(const std::vector<Removal>& removals);

  /// Enters one, or raises its epoch; returns the one that is dropped for it, whose record is to be deleted.
  std::optional<Removal> Add(const Removal& removal);
  /// The application was applied again, or its removal did not come to the disk.
  void Erase(const AppId& app) { epochs_.erase(app); }

  /// Whether this copy is of an application that was removed. Requires that the application is not placed.
  bool Covers(const Placement& copy) const;
  size_t size() const { return epochs_.size(); }

private:
  std::map<AppId, uint64_t> epochs_;
};

} // namespace avocet

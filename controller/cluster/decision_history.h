#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "messages/ids.h"

namespace avocet {

/// Decisions that are kept about applications that do not run: removed ones, and those that were refused.
inline constexpr size_t kMaxPastDecisions = 200;

/// Which decisions are kept on disk: the last one about every application that runs, and about the latest
/// kMaxPastDecisions of the others. Pure. Not thread-safe.
class DecisionHistory {
public:
  /// The application runs now: its decision is kept as long as it does.
  void Runs(const AppId& app);

  /// The application does not run, or not any more. The answer: whose decision is forgotten for it.
  std::optional<AppId> Ended(const AppId& app);

private:
  std::deque<AppId> past_; ///< oldest first, none twice
};

} // namespace avocet

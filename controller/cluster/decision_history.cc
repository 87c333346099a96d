#include "controller/cluster/decision_history.h"

#include <algorithm>
#include <utility>

namespace avocet {

void DecisionHistory::Runs(const AppId& app) {
  std::erase(past_, app);
}

std::optional<AppId> DecisionHistory::Ended(const AppId& app) {
  std::erase(past_, app);
  past_.push_back(app);
  if (past_.size() <= kMaxPastDecisions) return std::nullopt;

  AppId forgotten = std::move(past_.front());
  past_.pop_front();
  return forgotten;
}

} // namespace avocet

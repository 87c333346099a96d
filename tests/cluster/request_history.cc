#include "tests/cluster/request_history.h"

#include <algorithm>

namespace avocet {

size_t RequestHistory::Begin(const std::string& app, const std::optional<Wish>& wish, Time now) {
  const std::lock_guard lock(mutex_);
  requests_.push_back({.app = app, .wish = wish, .begin = now});
  return requests_.size() - 1;
}

void RequestHistory::End(size_t request, Outcome outcome, Time now) {
  const std::lock_guard lock(mutex_);
  requests_[request].outcome = outcome;
  if (outcome != Outcome::kOpen) requests_[request].end = now;
}

std::vector<std::optional<Wish>> RequestHistory::Possible(const std::string& app) const {
  // Everything that ended before the last beginning of what was acknowledged is overtaken for certain.
  Time overtaken = Time::min();
  for (const auto& one : requests_) {
    if (one.app == app && !one.settled && one.outcome == Outcome::kDone) overtaken = std::max(overtaken, one.begin);
  }

  std::vector<std::optional<Wish>> possible;
  for (const auto& one : requests_) {
    if (one.app == app && !one.settled && one.outcome != Outcome::kRefused && one.end >= overtaken)
      possible.push_back(one.wish);
  }

  // How it was before all of this.
  const auto before = seen_.find(app);
  if (overtaken == Time::min()) possible.push_back(before == seen_.end() ? std::nullopt : before->second);
  return possible;
}

bool RequestHistory::MayBe(const std::string& app, const std::optional<Wish>& state) const {
  const std::lock_guard lock(mutex_);
  const auto possible = Possible(app);
  return std::find(possible.begin(), possible.end(), state) != possible.end();
}

std::string RequestHistory::Describe(const std::string& app) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const auto& wish : Possible(app))
    text += (text.empty() ? "" : ", or ") + (wish ? wish->model + " on " + wish->device : std::string("removed"));
  return text;
}

void RequestHistory::Settle(const std::string& app, const std::optional<Wish>& state, Time now) {
  const std::lock_guard lock(mutex_);
  for (auto& one : requests_) {
    if (one.app == app && one.begin <= now) one.settled = true;
  }
  seen_[app] = state;
}

size_t RequestHistory::CountDone(bool removals) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(requests_.begin(), requests_.end(), [&](const Request& one) {
    return one.outcome == Outcome::kDone && !one.wish.has_value() == removals;
  }));
}

} // namespace avocet

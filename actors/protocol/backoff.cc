#include "actors/protocol/backoff.h"

#include <algorithm>

#include "messages/check.h"
#include "messages/invariant.h"

namespace avocet {

Status Validate(const BackoffOptions& options) {
  return Check("options", std::string_view("backoff"))
      .That(options.first > Duration{}, "first", options.first.count(), "> 0")
      .That(options.longest >= options.first, "longest", options.longest.count(), ">= first")
      .That(options.factor >= 1, "factor", options.factor, ">= 1")
      .That(options.jitter >= 0 && options.jitter <= 1, "jitter", options.jitter, "0 to 1")
      .status();
}

Backoff::Backoff(const BackoffOptions& options, uint64_t seed)
    : options_(options), random_(seed), next_(options.first) {
  AVOCET_CHECK(Validate(options).ok());
}

Duration Backoff::Next() {
  const double whole = ToSeconds(next_);
  const double drawn = std::uniform_real_distribution<double>(0, options_.jitter)(random_);
  next_ = std::min(options_.longest, FromSeconds(std::min(whole * options_.factor, ToSeconds(options_.longest))));
  return FromSeconds(whole * (1 - drawn));
}

} // namespace avocet

#include "node_agent/inference/response_buckets.h"

#include <algorithm>

namespace avocet {

void ResponseBuckets::Add(Duration response) {
  ++total_;
  if (objective_ && response <= *objective_) ++within_objective_;
  for (size_t i = kLimits.size(); i > 0 && response <= kLimits[i - 1]; --i)
    ++counts_[i - 1];
}

void ResponseBuckets::SetObjective(Duration limit) {
  if (objective_ == limit) return;
  objective_ = limit;
  within_objective_ = CountOfNext(limit);
}

/// That of the smallest fixed limit that is not below it: where they are equal, the count is exact from the start.
uint64_t ResponseBuckets::CountOfNext(Duration limit) const {
  const auto next = std::lower_bound(kLimits.begin(), kLimits.end(), limit);
  return next == kLimits.end() ? total_ : counts_[static_cast<size_t>(next - kLimits.begin())];
}

std::vector<ResponseBuckets::Bucket> ResponseBuckets::Cumulative() const {
  std::vector<Bucket> buckets;
  for (size_t i = 0; i < kLimits.size(); ++i)
    buckets.push_back({kLimits[i], counts_[i]});
  if (!objective_) return buckets;
  const auto next = std::lower_bound(buckets.begin(), buckets.end(), *objective_,
                                     [](const Bucket& bucket, Duration limit) { return bucket.limit < limit; });
  if (next == buckets.end() || next->limit != *objective_) buckets.insert(next, {*objective_, within_objective_});
  return buckets;
}

} // namespace avocet

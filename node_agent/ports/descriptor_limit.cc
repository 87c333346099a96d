#include "node_agent/ports/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace avocet {
namespace {

constexpr size_t kPortShare = 4; ///< 3/4 for three ports, 1/16 for metrics: 3/16 are left
constexpr size_t kMetricsShare = 16;

size_t ToSize(rlim_t limit) {
  return limit == RLIM_INFINITY ? std::numeric_limits<size_t>::max() : static_cast<size_t>(limit);
}

} // namespace

size_t DescriptorLimit() {
  rlimit limit{};
  constexpr size_t kLeastOfLinux = 1024; // the usual soft limit; getrlimit does not fail
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? ToSize(limit.rlim_cur) : kLeastOfLinux;
}

RaisedLimit RaiseDescriptorLimit() {
  RaisedLimit raised{.before = DescriptorLimit()};
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); // getrlimit below says what the limit is now
  }
  raised.after = DescriptorLimit();
  return raised;
}

size_t DescriptorsOfAPort() {
  return std::max<size_t>(1, DescriptorLimit() / kPortShare);
}

size_t DescriptorsOfMetrics() {
  return std::max<size_t>(1, DescriptorLimit() / kMetricsShare);
}

} // namespace avocet

#pragma once

#include <cstddef>

namespace avocet {

/// How many descriptors this process may have open now (the soft limit).
size_t DescriptorLimit();

struct RaisedLimit {
  size_t before = 0;
  size_t after = 0;
};
/// Raises the soft limit to the hard one, for good: for programs that serve connections. To be called before they
/// listen, as they choose their bounds by the limit. Where it cannot be raised, it stays.
RaisedLimit RaiseDescriptorLimit();

/// Of the descriptors of a process, the part that the connections of one port may use. Four ports of one process (it
/// may be controller and agent at once: control, gRPC, REST, metrics) leave the rest to files, engines and libraries.
size_t DescriptorsOfAPort();
/// The part for the port of /metrics, which has few clients.
size_t DescriptorsOfMetrics();

} // namespace avocet

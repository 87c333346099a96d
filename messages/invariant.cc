#include "messages/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace avocet {

void FailCheck(const char* file, int line, const char* condition) {
  // Not through the log: its owner may be what is broken.
  std::fprintf(stderr, "%s:%d: AVOCET_CHECK(%s) failed\n", file, line, condition);
  std::abort();
}

} // namespace avocet

#pragma once

namespace avocet {

/// Prints "file:line: AVOCET_CHECK(condition) failed" to standard error and aborts.
[[noreturn]] void FailCheck(const char* file, int line, const char* condition);

} // namespace avocet

/// Stops the process unless `condition` holds, in release builds, too. For what a header says with "Requires": a
/// broken precondition is a defect of the caller, and going on would answer with something wrong. For input from
/// outside, return a Status. The condition must cost next to nothing and change nothing.
#define AVOCET_CHECK(condition)                                                                                        \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::avocet::FailCheck(__FILE__, __LINE__, #condition))

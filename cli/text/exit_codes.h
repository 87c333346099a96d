#pragma once

#include "messages/status.h"

namespace avocet {

/// Exit codes of the program; scripts rely on the numbers.
enum ExitCode : int {
  kExitOk = 0,
  kExitError = 1,
  kExitRejected = 2,
  kExitChanges = 3, ///< `plan --detailed-exitcode` and the plan has changes
  kExitTimedOut = 4,
  kExitDenied = 5,
  kExitUsage = 64,
  kExitInterrupted = 130, ///< ctrl-c, as shells count it
};

inline ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
  case StatusCode::kOk:
    return kExitOk;
  case StatusCode::kRejected:
    return kExitRejected;
  case StatusCode::kDeadlineExceeded:
    return kExitTimedOut;
  case StatusCode::kDenied:
    return kExitDenied;
  // All else is one code: a script cannot repair these failures, a person reads the message.
  case StatusCode::kInvalidArgument:
  case StatusCode::kNotFound:
  case StatusCode::kAlreadyExists:
  case StatusCode::kUnavailable:
  case StatusCode::kCancelled:
  case StatusCode::kUnsupported:
  case StatusCode::kResourceExhausted:
  case StatusCode::kCorruption:
  case StatusCode::kInternal:
    return kExitError;
  }

  return kExitError;
}

} // namespace avocet

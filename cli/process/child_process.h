#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

struct ChildProcessOptions {
  std::vector<std::string> arguments; ///< of this program, run again; without its own name
  std::filesystem::path log;          ///< its standard error; appended to
};

/// This program once more, in a process of its own. The kernel kills it when the thread that started it
/// ends, however that ends. Not thread-safe.
class ChildProcess {
public:
  static Result<std::unique_ptr<ChildProcess>> Start(const ChildProcessOptions& options);
  /// Kill.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// The next line of its standard output. kUnavailable when it closed it, kDeadlineExceeded.
  Result<std::string> ReadLine(Duration deadline);
  /// Whether it still runs.
  bool running();
  /// Asks it to stop in order (SIGTERM); to be waited for with Terminate.
  void AskToStop();
  /// AskToStop, waits for its end, and kills it after the deadline.
  void Terminate(Duration deadline);

private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}
  void Kill();
  bool WaitForEnd(Duration deadline);

  pid_t pid_;
  int output_;
  std::string unread_;
  bool ended_ = false;
};

} // namespace avocet

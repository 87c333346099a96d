#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace avocet {

/// How a process ended.
struct ProcessEnd {
  std::optional<int> exit_code; ///< nullopt: a signal ended it
  int signal = 0;
};

struct ProcessOptions {
  std::vector<std::string> command;               ///< the program's path and its arguments
  std::filesystem::path stderr_file;              ///< appended to; empty: inherited
  std::map<std::string, std::string> environment; ///< added to this process's own
};

/// A child process whose standard output is read through a pipe. Not thread-safe, and to be started on
/// a thread that outlives it: the kernel kills the child when that thread ends. Killed, at the latest,
/// by the destructor.
class Process {
public:
  using Duration = std::chrono::nanoseconds;

  /// Throws std::runtime_error when it cannot be started (an unknown program shows as exit code 127).
  explicit Process(const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  /// The next line of its output, without the line's end. nullopt when there is none within the
  /// deadline or before its output closed.
  std::optional<std::string> ReadLine(Duration deadline);
  /// Everything that it printed and that ReadLine did not take.
  const std::string& unread() const { return output_; }

  void Signal(int signal);
  /// Waits for its end, reading its output meanwhile. nullopt: it still runs.
  std::optional<ProcessEnd> Wait(Duration deadline);
  /// SIGKILL, and waits for the end.
  ProcessEnd Kill();

private:
  void ReadSome(Duration patience);
  bool Reap();

  pid_t pid_ = -1;
  int pipe_ = -1;
  std::string output_;
  std::optional<ProcessEnd> end_;
};

/// What a program that ran to its end left behind.
struct CommandResult {
  std::optional<int> exit_code; ///< nullopt: it was killed, by a signal or for running too long
  std::string out;
  std::string err;
};

/// Runs a program to its end. `stderr_file` is ignored: what it wrote there is in the result.
CommandResult RunToEnd(const ProcessOptions& options, Process::Duration deadline);

/// Asks until the answer is yes; false when it never was within the deadline.
bool Eventually(const std::function<bool()>& condition, Process::Duration deadline);

} // namespace avocet

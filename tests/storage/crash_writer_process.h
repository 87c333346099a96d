#pragma once

#include <filesystem>
#include <optional>

#include <sys/types.h>

#include "tests/storage/crash_model.h"

namespace avocet {

/// A running crash_writer. Killed, at the latest, by the destructor.
class CrashWriterProcess {
public:
  explicit CrashWriterProcess(const std::filesystem::path& store_directory);
  ~CrashWriterProcess();
  CrashWriterProcess(const CrashWriterProcess&) = delete;
  CrashWriterProcess& operator=(const CrashWriterProcess&) = delete;

  /// The next report; waits for it. nullopt when the process is gone and all its reports were read.
  std::optional<CrashReport> Read();

  /// SIGKILL, and waits for the end. True when that is what ended it.
  bool Kill();

private:
  pid_t pid_ = -1;
  int reports_ = -1;
};

} // namespace avocet

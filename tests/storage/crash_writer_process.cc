#include "tests/storage/crash_writer_process.h"

#include <cerrno>
#include <csignal>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace avocet {

CrashWriterProcess::CrashWriterProcess(const std::filesystem::path& store_directory) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    dup2(ends[1], STDOUT_FILENO); // the copy survives the exec
    execl(AVOCET_CRASH_WRITER, "crash_writer", store_directory.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[1]);
  reports_ = ends[0];
  if (pid_ < 0) throw std::runtime_error("no process");
}

CrashWriterProcess::~CrashWriterProcess() {
  Kill();
  close(reports_);
}

std::optional<CrashReport> CrashWriterProcess::Read() {
  CrashReport report;
  ssize_t got = 0;
  do {
    got = read(reports_, &report, sizeof report); // the writer's writes of this size are atomic
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof report)) return std::nullopt;
  return report;
}

bool CrashWriterProcess::Kill() {
  if (pid_ < 0) return false;
  int ended = 0;
  kill(pid_, SIGKILL);
  waitpid(pid_, &ended, 0);
  pid_ = -1;
  return WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL;
}

} // namespace avocet

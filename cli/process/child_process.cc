#include "cli/process/child_process.h"
#include "messages/files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

namespace avocet {
namespace {

constexpr Duration kPollEvery = std::chrono::milliseconds(20);

/// What the child needs, made before the fork: after it only plain system calls are safe.
struct ChildPlan {
  char* const* arguments;
  int output;
  int errors;
  pid_t parent;
};

[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127); // the parent died before the line above
  setpgid(0, 0);                            // ctrl-c in a terminal is for the parent, which stops its children in order
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(plan.output, STDOUT_FILENO);
  dup2(plan.errors, STDERR_FILENO);
  execv("/proc/self/exe", plan.arguments);
  _exit(127);
}

} // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::Start(const ChildProcessOptions& options) {
  // Everything that allocates comes before the fork: after it only plain system calls are safe.
  auto arguments = options.arguments;
  arguments.insert(arguments.begin(), "avocet");
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (auto& argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);

  // Both files close on exec, so that children which start later do not hold them open.
  const Fd errors(open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (errors.get() < 0) return Unavailable("cannot write " + options.log.string());
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Unavailable("no pipe for a child process");
  Fd reading(ends[0]);
  const Fd writing(ends[1]);

  // The parent's id is read here: the child compares it, to notice a parent that has died meanwhile.
  const ChildPlan plan{pointers.data(), writing.get(), errors.get(), getpid()};
  const pid_t pid = fork();
  if (pid == 0) BecomeProgram(plan);
  if (pid < 0) return ResourceExhausted("cannot start a child process");
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, reading.Release()));
}

ChildProcess::~ChildProcess() {
  Kill();
  close(output_);
}

Result<std::string> ChildProcess::ReadLine(Duration deadline) {
  const auto give_up = MonotonicTime::clock::now() + deadline;
  for (;;) {
    // One read can bring several lines or a part of one; the rest waits in unread_ for the next call.
    if (const auto end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }

    const auto left = give_up - MonotonicTime::clock::now();
    if (left <= Duration{}) return DeadlineExceeded("a child process said nothing in time");

    // Rounded up: below 1 ms poll would return at once, and the loop would spin until the deadline.
    pollfd ready{.fd = output_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count())) <= 0) continue;

    std::array<char, 4096> piece{};
    const ssize_t got = read(output_, piece.data(), piece.size());
    if (got == 0) return Unavailable("a child process ended early");
    if (got > 0) unread_.append(piece.data(), static_cast<size_t>(got));
  }
}

bool ChildProcess::running() {
  if (!ended_) ended_ = waitpid(pid_, nullptr, WNOHANG) == pid_;
  return !ended_;
}

bool ChildProcess::WaitForEnd(Duration deadline) {
  const auto give_up = MonotonicTime::clock::now() + deadline;
  while (running()) {
    if (MonotonicTime::clock::now() >= give_up) return false;
    std::this_thread::sleep_for(kPollEvery);
  }
  return true;
}

void ChildProcess::AskToStop() {
  if (running()) kill(pid_, SIGTERM);
}

void ChildProcess::Terminate(Duration deadline) {
  AskToStop();
  if (!WaitForEnd(deadline)) Kill();
}

void ChildProcess::Kill() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  ended_ = true;
}

} // namespace avocet

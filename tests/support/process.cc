#include "tests/support/process.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

using Clock = std::chrono::steady_clock;

/// A child that closed its output is asked this often whether it ended; conditions are, too.
constexpr std::chrono::milliseconds kPollEvery(20);

Clock::time_point After(Process::Duration deadline) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(deadline);
}

std::vector<std::string> Environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added)
    all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// What the child needs, made before the fork: after it only plain system calls are safe.
struct ChildPlan {
  char* const* arguments;
  char* const* environment;
  int output;
  int errors; ///< -1: inherited
  pid_t parent;
};

[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127); // the parent died before the line above
  dup2(plan.output, STDOUT_FILENO);         // the copies survive the exec
  if (plan.errors >= 0) dup2(plan.errors, STDERR_FILENO);
  execve(plan.arguments[0], plan.arguments, plan.environment);
  _exit(127);
}

int OpenLog(const std::filesystem::path& file) {
  if (file.empty()) return -1;
  const int log = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) throw std::runtime_error("cannot write " + file.string());
  return log;
}

} // namespace

Process::Process(const ProcessOptions& options) {
  auto arguments = options.command;
  auto environment = Environment(options.environment);
  const auto argument_pointers = Pointers(arguments), environment_pointers = Pointers(environment);
  const int errors = OpenLog(options.stderr_file);
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const ChildPlan plan{argument_pointers.data(), environment_pointers.data(), ends[1], errors, getpid()};
  pid_ = fork();
  if (pid_ == 0) BecomeProgram(plan);
  close(ends[1]);
  if (errors >= 0) close(errors);
  pipe_ = ends[0];
  if (pid_ < 0) throw std::runtime_error("no process");
}

Process::~Process() {
  Kill();
  if (pipe_ >= 0) close(pipe_);
}

/// Takes what is there; waits for more at most `patience`.
void Process::ReadSome(Duration patience) {
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(patience, kPollEvery));
  if (pipe_ < 0) return std::this_thread::sleep_for(wait);
  pollfd ready{.fd = pipe_, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, static_cast<int>(wait.count())) <= 0) return;
  char buffer[4096];
  const ssize_t got = read(pipe_, buffer, sizeof buffer);
  if (got > 0) output_.append(buffer, static_cast<size_t>(got));
  if (got > 0 || (got < 0 && errno == EINTR)) return;
  close(pipe_);
  pipe_ = -1;
}

std::optional<std::string> Process::ReadLine(Duration deadline) {
  const auto give_up = After(deadline);
  size_t end = output_.find('\n');
  while (end == std::string::npos && pipe_ >= 0 && Clock::now() < give_up) {
    ReadSome(give_up - Clock::now());
    end = output_.find('\n');
  }
  if (end == std::string::npos) return std::nullopt;
  std::string line = output_.substr(0, end);
  output_.erase(0, end + 1);
  return line;
}

void Process::Signal(int signal) {
  if (!end_) kill(pid_, signal);
}

bool Process::Reap() {
  int ended = 0;
  if (end_ || waitpid(pid_, &ended, WNOHANG) != pid_) return end_.has_value();
  if (WIFEXITED(ended))
    end_ = ProcessEnd{.exit_code = WEXITSTATUS(ended)};
  else
    end_ = ProcessEnd{.exit_code = std::nullopt, .signal = WTERMSIG(ended)};
  return true;
}

std::optional<ProcessEnd> Process::Wait(Duration deadline) {
  const auto give_up = After(deadline);
  while (!Reap() && Clock::now() < give_up)
    ReadSome(give_up - Clock::now());
  while (end_ && pipe_ >= 0 && Clock::now() < give_up)
    ReadSome(give_up - Clock::now());
  return end_;
}

ProcessEnd Process::Kill() {
  Signal(SIGKILL);
  while (!Reap())
    ReadSome(kPollEvery);
  return *end_;
}

CommandResult RunToEnd(const ProcessOptions& options, Process::Duration deadline) {
  const TempDir folder;
  ProcessOptions redirected = options;
  redirected.stderr_file = folder.path() / "stderr";
  Process process(redirected);
  const auto end = process.Wait(deadline);
  std::ostringstream errors;
  errors << std::ifstream(redirected.stderr_file).rdbuf();
  return {end ? end->exit_code : std::nullopt, process.unread(), errors.str()};
}

bool Eventually(const std::function<bool()>& condition, Process::Duration deadline) {
  const auto give_up = After(deadline);
  while (!condition()) {
    if (Clock::now() >= give_up) return false;
    std::this_thread::sleep_for(kPollEvery);
  }
  return true;
}

} // namespace avocet

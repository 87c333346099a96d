#include "cli/process/last_words.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <system_error>

#include <boost/system/system_error.hpp>

namespace avocet {
namespace {

constexpr int kFailed = 1; ///< the exit code of every error

/// Into a buffer of fixed size: there may be no memory left.
using Line = std::array<char, 512>;

void Say(const Line& line) {
  const size_t length = std::char_traits<char>::length(line.data());
  (void)!write(STDERR_FILENO, line.data(), length); // there is nobody to tell that this failed
}

bool IsScarcity(int error) {
  return error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/// Whether the process ran out of something that operators can give it; the line says what.
bool Explain(const std::exception_ptr& thrown, Line& line) {
  const auto scarce = [&line](int error, const char* what) {
    const char* hint = error == EAGAIN                      ? "threads (ulimit -u, TasksMax of systemd) or memory"
                       : error == EMFILE || error == ENFILE ? "descriptors (ulimit -n, LimitNOFILE of systemd)"
                                                            : "memory";
    std::snprintf(line.data(), line.size(), "error: out of %s: %s\n", hint, what);
    return IsScarcity(error);
  };
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc& e) {
    return scarce(ENOMEM, e.what());
  } catch (const boost::system::system_error& e) {
    return scarce(e.code().value(), e.what());
  } catch (const std::system_error& e) {
    return scarce(e.code().value(), e.what());
  } catch (const std::exception& e) {
    std::snprintf(line.data(), line.size(), "error: an exception that nobody caught: %s\n", e.what());
  } catch (...) {
    std::snprintf(line.data(), line.size(), "error: an exception of unknown type that nobody caught\n");
  }
  return false;
}

[[noreturn]] void OnTerminate() {
  const std::exception_ptr thrown = std::current_exception();
  if (thrown == nullptr) std::abort();
  Line line{};
  const bool is_scarcity = Explain(thrown, line);
  Say(line);
  // Not exit(): other threads go on, and what they use must not be torn down.
  if (is_scarcity) _exit(kFailed);
  std::abort();
}

} // namespace

void InstallLastWords() {
  std::set_terminate(OnTerminate);
}

} // namespace avocet

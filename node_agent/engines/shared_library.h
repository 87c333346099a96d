#pragma once

#include <filesystem>
#include <string>

#include "messages/status.h"

namespace avocet {

/// A loaded shared library. Its symbols stay private to it (RTLD_LOCAL), so that engines which bring
/// their own copies of the same functions do not meet. Once loaded it stays mapped to the end of the
/// process; opening it again is cheap. Move-only.
class SharedLibrary {
public:
  /// `file` is a path, or a name without a slash that the system's loader looks for. kNotFound when the file does
  /// not exist, kUnsupported with the loader's text when it cannot be loaded here (wrong architecture, missing
  /// dependency).
  static Result<SharedLibrary> Open(const std::filesystem::path& file);

  SharedLibrary(SharedLibrary&& other) noexcept;
  SharedLibrary& operator=(SharedLibrary&& other) noexcept;
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;
  ~SharedLibrary();

  /// Sets `function` to the symbol of that name; kUnsupported naming library and symbol when absent.
  template <class Function> Status Bind(const char* name, Function*& function) const {
    void* symbol = Find(name);
    function = reinterpret_cast<Function*>(symbol); // NOLINT: the way POSIX defines dlsym
    return symbol ? Status{} : Missing(name);
  }

private:
  SharedLibrary(void* handle, std::filesystem::path file);
  void* Find(const char* name) const;
  Status Missing(const char* name) const;

  void* handle_ = nullptr;
  std::filesystem::path file_;
};

} // namespace avocet

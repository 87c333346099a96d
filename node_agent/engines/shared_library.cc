#include "node_agent/engines/shared_library.h"

#include <dlfcn.h>

#include <utility>

namespace avocet {
namespace {

/// The loader tells a name that it does not find from a library that it cannot use in its text only.
Status LoadError(const std::filesystem::path& file, const std::string& reason) {
  if (!file.has_parent_path() &&
      reason == file.string() + ": cannot open shared object file: No such file or directory")
    return NotFound("no library " + file.string() + " on this system");
  return Unsupported("cannot load " + file.string() + ": " + reason);
}

} // namespace

Result<SharedLibrary> SharedLibrary::Open(const std::filesystem::path& file) {
  std::error_code error;
  if (file.has_parent_path() && !std::filesystem::exists(file, error)) return NotFound("no library " + file.string());
  // RTLD_NODELETE: engines set up globals once and never free them, so mapping them again would leak.
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) return LoadError(file, dlerror()); // NOLINT(concurrency-mt-unsafe)
  return SharedLibrary(handle, file);
}

SharedLibrary::SharedLibrary(void* handle, std::filesystem::path file) : handle_(handle), file_(std::move(file)) {}

SharedLibrary::SharedLibrary(SharedLibrary&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), file_(std::move(other.file_)) {}

SharedLibrary& SharedLibrary::operator=(SharedLibrary&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(file_, other.file_);
  return *this;
}

SharedLibrary::~SharedLibrary() {
  if (handle_) dlclose(handle_);
}

void* SharedLibrary::Find(const char* name) const {
  return dlsym(handle_, name);
}

Status SharedLibrary::Missing(const char* name) const {
  return Unsupported(file_.string() + " has no function " + name + ": another version of the library?");
}

} // namespace avocet

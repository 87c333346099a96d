// A library for LD_PRELOAD: the disk below one folder is full, fails or is slow while a file says so. For processes
// under test (tests/support/failing_disk.h). AVOCET_DISK_FOLDER: which files. AVOCET_DISK_FLAG: the file; absent, the
// disk is well. Its text: "full" (what makes a file longer fails with ENOSPC), "broken" (so do syncs, with EIO), or
// "slow <milliseconds>" (a sync takes so much longer).
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace {

template <class Function> Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// Without the functions that are replaced here.
std::string Mode() {
  const char* flag = getenv("AVOCET_DISK_FLAG");
  if (flag == nullptr) return "";
  const long file = syscall(SYS_openat, AT_FDCWD, flag, O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  char text[64];
  const long got = syscall(SYS_read, file, text, sizeof text);
  syscall(SYS_close, file);
  return got > 0 ? std::string(text, static_cast<size_t>(got)) : "";
}

bool IsConcerned(int file) {
  const char* folder = getenv("AVOCET_DISK_FOLDER");
  if (folder == nullptr) return false;
  char link[64], path[PATH_MAX];
  (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = readlink(link, path, sizeof path);
  return size > 0 && std::string(path, static_cast<size_t>(size)).rfind(std::string(folder) + "/", 0) == 0;
}

bool IsFull(int file) {
  const int error = errno;
  const std::string mode = IsConcerned(file) ? Mode() : "";
  errno = error;
  return mode.rfind("full", 0) == 0;
}

int Full() {
  errno = ENOSPC;
  return -1;
}

/// 0, or the error of a sync; waits where the disk is slow.
int SyncError(int file) {
  if (!IsConcerned(file)) return 0;
  const std::string mode = Mode();
  if (mode.rfind("broken", 0) == 0) return EIO;
  if (mode.rfind("slow ", 0) != 0) return 0;
  const long milliseconds = atol(mode.c_str() + 5);
  const timespec wait{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  nanosleep(&wait, nullptr);
  return 0;
}

template <class Function> int Sync(const char* name, int file) {
  if (const int error = SyncError(file); error != 0) {
    errno = error;
    return -1;
  }
  return Next<Function>(name)(file);
}

} // namespace

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  if (IsFull(file)) return Full();
  return Next<ssize_t(int, const void*, size_t)>("write")(file, bytes, size);
}
ssize_t writev(int file, const iovec* pieces, int count) {
  if (IsFull(file)) return Full();
  return Next<ssize_t(int, const iovec*, int)>("writev")(file, pieces, count);
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  if (IsFull(file)) return Full();
  return Next<ssize_t(int, const void*, size_t, off_t)>("pwrite")(file, bytes, size, at);
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  if (IsFull(file)) return Full();
  return Next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64")(file, bytes, size, at);
}
int fallocate(int file, int mode, off_t at, off_t size) {
  if (IsFull(file)) return Full();
  return Next<int(int, int, off_t, off_t)>("fallocate")(file, mode, at, size);
}
int fallocate64(int file, int mode, off64_t at, off64_t size) {
  if (IsFull(file)) return Full();
  return Next<int(int, int, off64_t, off64_t)>("fallocate64")(file, mode, at, size);
}
int posix_fallocate(int file, off_t at, off_t size) {
  if (IsFull(file)) return ENOSPC;
  return Next<int(int, off_t, off_t)>("posix_fallocate")(file, at, size);
}
int posix_fallocate64(int file, off64_t at, off64_t size) {
  if (IsFull(file)) return ENOSPC;
  return Next<int(int, off64_t, off64_t)>("posix_fallocate64")(file, at, size);
}
int fsync(int file) {
  return Sync<int(int)>("fsync", file);
}
int fdatasync(int file) {
  return Sync<int(int)>("fdatasync", file);
}

} // extern "C"

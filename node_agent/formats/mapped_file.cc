#include "node_agent/formats/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "messages/files.h"

namespace avocet {

Result<MappedFile> MappedFile::Open(const std::filesystem::path& file) {
  const Fd descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.ok()) return NotFound(file.string() + ": " + ErrnoText());
  struct stat about {};
  if (fstat(descriptor.get(), &about) != 0) return Unavailable(file.string() + ": " + ErrnoText());
  if (!S_ISREG(about.st_mode)) return InvalidArgument(file.string() + ": not a regular file");
  const auto size = static_cast<size_t>(about.st_size);
  if (size == 0) return MappedFile(std::string_view()); // nothing cannot be mapped
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (bytes == MAP_FAILED) return Unavailable(file.string() + ": " + ErrnoText());
  return MappedFile(std::string_view(static_cast<const char*>(bytes), size));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

} // namespace avocet

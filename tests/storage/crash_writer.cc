// crash_writer DIRECTORY: opens the store there and writes batches with sync, from the one after the
// last stored, until it is killed or its parent stops reading. Reports on standard output.
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <string>

#include <unistd.h>

#include "storage/rocks_store.h"
#include "tests/storage/crash_model.h"

namespace avocet {
namespace {

bool Tell(CrashReport::Kind kind, uint64_t number) {
  const CrashReport report{kind, number};
  return write(STDOUT_FILENO, &report, sizeof report) == static_cast<ssize_t>(sizeof report);
}

Result<uint64_t> LastNumber(const Store& store) {
  const auto text = store.Get(kLastNumberKey);
  if (!text.ok()) return text.status();
  uint64_t number = 0;
  if (*text) std::from_chars((*text)->data(), (*text)->data() + (*text)->size(), number);
  return number;
}

Status WriteUntilKilled(const std::string& directory) {
  auto store = RocksStore::Open({.directory = directory});
  if (!store.ok()) return store.status();
  const auto last = LastNumber(**store);
  if (!last.ok()) return last.status();
  for (uint64_t number = *last + 1;; ++number) {
    if (!Tell(CrashReport::Kind::kBegun, number)) return Cancelled("nobody listens");
    AVOCET_RETURN_IF_ERROR((*store)->Write(CrashBatch(number), Sync::kYes));
    if (!Tell(CrashReport::Kind::kAcknowledged, number)) return Cancelled("nobody listens");
  }
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const avocet::Status ended = avocet::WriteUntilKilled(argv[1]);
  std::cerr << "crash_writer: " + ended.ToString() + "\n";
  return EXIT_FAILURE; // it is meant to be killed
}

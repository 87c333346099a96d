#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace avocet {

/// The wall clock of processes that are started with `prefix` in front of their command
/// (tests/support/shifted_clock_preload.cc is loaded into them), as a test sets it.
class ShiftedClock {
public:
  /// `file` is made, and used for this.
  explicit ShiftedClock(std::filesystem::path file) : file_(std::move(file)) { SetBack(0); }

  std::vector<std::string> prefix() const {
    return {"/usr/bin/env", "LD_PRELOAD=" AVOCET_SHIFTED_CLOCK, "AVOCET_CLOCK_FILE=" + file_.string(),
            "ASAN_OPTIONS=verify_asan_link_order=0"};
  }

  /// Against the machine's clock, at once, also in processes that run.
  void SetBack(int64_t seconds) const {
    // In place: processes have mapped the file.
    std::fstream out(file_, std::filesystem::exists(file_) ? std::ios::in | std::ios::out | std::ios::binary
                                                           : std::ios::out | std::ios::binary);
    out.write(reinterpret_cast<const char*>(&seconds), sizeof seconds);
  }

private:
  std::filesystem::path file_;
};

} // namespace avocet

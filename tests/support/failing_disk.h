#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace avocet {

/// A disk that is full, fails or is slow while a test says so: for the files of one folder, in processes that are
/// started with `prefix` in front of their command (tests/support/failing_disk_preload.cc is loaded into them). Any
/// number of processes may share one.
class FailingDisk {
public:
  /// `flag`: a file outside of the folder that is used for this.
  FailingDisk(std::filesystem::path folder, std::filesystem::path flag)
      : folder_(std::move(folder)), flag_(std::move(flag)) {}

  std::vector<std::string> prefix() const {
    return {"/usr/bin/env", "LD_PRELOAD=" AVOCET_FAILING_DISK, "AVOCET_DISK_FOLDER=" + folder_.string(),
            "AVOCET_DISK_FLAG=" + flag_.string(), "ASAN_OPTIONS=verify_asan_link_order=0"};
  }

  /// Nothing more can be written: ENOSPC.
  void Fill() const { Set("full"); }
  /// What is written does not reach the disk: syncs fail with EIO.
  void Break() const { Set("broken"); }
  /// Every sync takes so much longer.
  void Slow(int milliseconds) const { Set("slow " + std::to_string(milliseconds)); }
  void Heal() const { std::filesystem::remove(flag_); }

private:
  /// Renamed into place, so that nobody reads half of it.
  void Set(const std::string& mode) const {
    const std::filesystem::path next = flag_.string() + ".next";
    std::ofstream(next) << mode;
    std::filesystem::rename(next, flag_);
  }

  std::filesystem::path folder_;
  std::filesystem::path flag_;
};

} // namespace avocet

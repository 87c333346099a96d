#include "storage/write_ahead_log.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <boost/crc.hpp>

#include "messages/files.h"
#include "messages/units.h"

namespace avocet {
namespace {

// The format is that of RocksDB's db/log_format.h: blocks of 32 KiB hold fragments of records, each with a header of
// crc32c (of type and data, masked), length and type; no fragment crosses a block. A record is a write batch, which
// begins with the sequence number of its first change and the number of its changes.
constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;
constexpr size_t kBatchHeaderBytes = 12;
constexpr uint8_t kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4;
/// A log is switched at the size of a write buffer, so this is far from any that we write.
constexpr size_t kMostLogBytes = 1024 * kMiB;

uint64_t Number(std::string_view bytes, size_t at, size_t size) {
  uint64_t number = 0;
  for (size_t i = size; i > 0; --i)
    number = (number << 8U) | static_cast<unsigned char>(bytes[at + i - 1]);
  return number;
}

uint32_t MaskedCrc(std::string_view type_and_data) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(type_and_data.data(), type_and_data.size());
  const auto sum = static_cast<uint32_t>(crc.checksum());
  return ((sum >> 15U) | (sum << 17U)) + 0xa282ead8U;
}

struct Fragment {
  uint8_t type = 0;
  std::string_view data;
};

/// The fragment at that place, if it is whole.
std::optional<Fragment> FragmentAt(std::string_view log, size_t at) {
  const size_t block_end = std::min(log.size(), (at / kBlockBytes + 1) * kBlockBytes);
  if (block_end - at < kHeaderBytes) return std::nullopt;
  const size_t length = Number(log, at + 4, 2);
  const auto type = static_cast<uint8_t>(log[at + 6]);
  if (type < kFull || type > kLast || length > block_end - at - kHeaderBytes) return std::nullopt;
  if (MaskedCrc(log.substr(at + 6, 1 + length)) != Number(log, at, 4)) return std::nullopt;
  return Fragment{type, log.substr(at + kHeaderBytes, length)};
}

bool BeginsRecord(const Fragment& fragment) {
  return fragment.type == kFull || fragment.type == kFirst;
}

/// What was found in the logs so far, oldest first.
class Scan {
public:
  Status Read(const std::filesystem::path& file, std::string_view log) {
    broken_here_ = false;
    for (size_t at = 0; at < log.size();) {
      if (kBlockBytes - at % kBlockBytes < kHeaderBytes) { // too short for a header: filled with zeros
        at = NextBlock(at);
        continue;
      }
      const auto fragment = FragmentAt(log, at);
      if (!fragment) {
        Break(file, at);
        at = NextBegin(log, at + 1);
        continue;
      }
      AVOCET_RETURN_IF_ERROR(Take(*fragment));
      at += kHeaderBytes + fragment->data.size();
    }
    return {};
  }

private:
  static size_t NextBlock(size_t at) { return (at / kBlockBytes + 1) * kBlockBytes; }

  /// Where a record may begin behind a broken place: in its block at any byte, as its length is not known.
  static size_t NextBegin(std::string_view log, size_t at) {
    const size_t block_end = std::min(log.size(), NextBlock(at - 1));
    for (; at < block_end; ++at) {
      const auto fragment = FragmentAt(log, at);
      if (fragment && BeginsRecord(*fragment)) return at;
    }
    return block_end;
  }

  void Break(const std::filesystem::path& file, size_t at) {
    if (!broken_) {
      broken_ = file;
      broken_at_ = at;
    }
    broken_here_ = true;
  }

  Status Take(const Fragment& fragment) {
    if (!BeginsRecord(fragment)) return {};
    const bool has_numbers = fragment.data.size() >= kBatchHeaderBytes;
    const uint64_t sequence = has_numbers ? Number(fragment.data, 0, 8) : 0;

    // In a later log it may also be what followed the torn end when the log had been read: then no number is missing.
    const bool missing = has_numbers && next_ > 0 && sequence > next_;
    if (broken_here_ || (broken_ && missing)) return Damaged();
    if (has_numbers) next_ = std::max(next_, sequence + Number(fragment.data, 8, 4));
    return {};
  }

  Status Damaged() const {
    const std::string place = broken_->string();
    return Corruption("the write-ahead log '" + place + "' is damaged at byte " + std::to_string(broken_at_) +
                      ", and whole records follow: changes that were acknowledged cannot be read. Nothing was changed; "
                      "restore the data_dir from a copy, or give up what was written from there on with `truncate "
                      "--size=" +
                      std::to_string(broken_at_) + " " + place + "`");
  }

  std::optional<std::filesystem::path> broken_; ///< the first log that is not whole
  size_t broken_at_ = 0;
  bool broken_here_ = false;
  uint64_t next_ = 0; ///< the sequence number that follows; 0: not known
};

/// Their names are numbers of one width, so they sort by age.
std::vector<std::filesystem::path> LogsIn(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> logs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  std::sort(logs.begin(), logs.end());
  return logs;
}

} // namespace

Status CheckWriteAheadLogs(const std::filesystem::path& directory) {
  Scan scan;
  for (const auto& file : LogsIn(directory)) {
    const auto log = ReadWholeFile(file, kMostLogBytes);
    // Another process may hold the folder and have removed it; opening the folder tells.
    if (log.status().code() == StatusCode::kNotFound) continue;
    if (!log.ok()) return log.status();
    AVOCET_RETURN_IF_ERROR(scan.Read(file, *log));
  }
  return {};
}

} // namespace avocet

#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "storage/store.h"

namespace avocet {

/// What the crash writer writes, as a function of the batch's number: the test knows it without
/// being told. Batch n puts its records, replaces the last number and deletes batch n - kKept.
inline constexpr uint64_t kKept = 16;
inline constexpr int kRecordsPerBatch = 3;
inline const std::string kLastNumberKey = "last";

inline std::string CrashKey(uint64_t number, int record) {
  return "batch/" + std::to_string(number) + "/" + std::to_string(record);
}

/// From a few bytes to several of the log's blocks of 32 KiB; one record in nineteen is large.
inline std::string CrashValue(uint64_t number, int record) {
  const uint64_t mixed = (number * kRecordsPerBatch + static_cast<uint64_t>(record)) * 0x9e3779b97f4a7c15U;
  const uint64_t size = mixed % 19 == 0 ? 100'000 : mixed % 4'000;
  std::string value = std::to_string(number) + ":";
  value.resize(value.size() + size, static_cast<char>('a' + mixed % 26));
  return value;
}

inline WriteBatch CrashBatch(uint64_t number) {
  WriteBatch batch;
  for (int i = 0; i < kRecordsPerBatch; ++i)
    batch.Put(CrashKey(number, i), CrashValue(number, i));
  batch.Put(kLastNumberKey, std::to_string(number));
  if (number > kKept) {
    for (int i = 0; i < kRecordsPerBatch; ++i)
      batch.Delete(CrashKey(number - kKept, i));
  }
  return batch;
}

/// The whole content of a store that holds exactly the batches 1..number.
inline std::map<std::string, std::string> CrashContent(uint64_t number) {
  std::map<std::string, std::string> content;
  if (number == 0) return content;
  content[kLastNumberKey] = std::to_string(number);
  for (uint64_t n = number > kKept ? number - kKept + 1 : 1; n <= number; ++n) {
    for (int i = 0; i < kRecordsPerBatch; ++i)
      content[CrashKey(n, i)] = CrashValue(n, i);
  }
  return content;
}

/// What the writer reports over its pipe, in this order for every batch.
struct CrashReport {
  enum class Kind : uint64_t { kBegun = 1, kAcknowledged = 2 };
  Kind kind = Kind::kBegun;
  uint64_t number = 0;
};

} // namespace avocet

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "storage/rocks_store.h"
#include "tests/storage/crash_model.h"
#include "tests/storage/crash_writer_process.h"
#include "tests/storage/seed.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

constexpr int kRounds = 200;

/// How far the writer came, by its own word.
struct Progress {
  uint64_t begun = 0;
  uint64_t acknowledged = 0;

  void Add(const CrashReport& report) {
    auto& number = report.kind == CrashReport::Kind::kBegun ? begun : acknowledged;
    number = std::max(number, report.number);
  }
};

using Clock = std::chrono::steady_clock;

/// When to kill: after so many reports, and so much later. After a "begun" the writer is inside the write or just
/// before it; the time moves the moment through the write.
struct Moment {
  int reports = 0;
  std::chrono::microseconds later{};
};

/// One in eight falls into the start: loading, recovery of the last crash, housekeeping.
Moment DrawMoment(std::mt19937_64& random) {
  const auto draw = [&random](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  if (draw(1, 8) == 1) return {.reports = 0, .later = std::chrono::microseconds(draw(0, 30'000))};
  return {.reports = draw(1, 60), .later = std::chrono::microseconds(draw(0, 150))};
}

/// False if the writer ended by itself.
bool RunAndKill(const std::filesystem::path& directory, const Moment& moment, Progress& progress) {
  CrashWriterProcess writer(directory);
  for (int i = 0; i < moment.reports; ++i) {
    const auto report = writer.Read();
    if (!report) return false;
    progress.Add(*report);
  }
  const auto kill_at = Clock::now() + moment.later;
  while (Clock::now() < kill_at) {
    // A sleep would be too coarse.
  }
  const bool killed = writer.Kill();
  // What it reported before it died is as binding as what was read in time.
  while (const auto report = writer.Read())
    progress.Add(*report);
  return killed;
}

std::map<std::string, std::string> ContentOf(const Store& store) {
  std::map<std::string, std::string> content;
  const Status status = store.Scan("", [&](std::string_view key, std::string_view value) {
    content.emplace(key, value);
    return true;
  });
  EXPECT_EQ(status, Status{});
  return content;
}

/// The number of the last batch in the store, when that and all before it are there entirely.
testing::AssertionResult HoldsWholeBatches(const std::filesystem::path& directory, const Progress& progress,
                                           uint64_t& last) {
  const auto store = RocksStore::Open({.directory = directory});
  if (!store.ok()) return testing::AssertionFailure() << store.status().ToString();
  const auto content = ContentOf(**store);
  last = content.contains(kLastNumberKey) ? std::stoull(content.at(kLastNumberKey)) : 0;
  if (last < progress.acknowledged || last > progress.begun) {
    return testing::AssertionFailure() << "last batch " << last << ", acknowledged " << progress.acknowledged
                                       << ", begun " << progress.begun;
  }
  if (content != CrashContent(last)) return testing::AssertionFailure() << "batch " << last << " is not whole";
  return testing::AssertionSuccess();
}

TEST(RocksStoreCrash, EveryAcknowledgedBatchSurvivesAKillAndNoneIsTorn) {
  const TempDir directory;
  std::mt19937_64 random(PrintedSeed());
  int in_doubt = 0;  // killed between "begun" and "acknowledged"
  int completed = 0; // of those: the batch is there
  Progress progress;
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_TRUE(RunAndKill(directory.path(), DrawMoment(random), progress))
        << "round " << round << ": the writer ended by itself";
    uint64_t last = 0;
    ASSERT_TRUE(HoldsWholeBatches(directory.path(), progress, last)) << "round " << round;
    in_doubt += progress.begun > progress.acknowledged ? 1 : 0;
    completed += last > progress.acknowledged ? 1 : 0;
    progress = {.begun = last, .acknowledged = last};
  }
  std::cout << kRounds << " kills, " << progress.acknowledged << " batches, " << in_doubt << " kills inside a write, "
            << completed << " of those writes complete\n";
  EXPECT_GT(in_doubt, 0) << "no kill met a write";
}

} // namespace
} // namespace avocet

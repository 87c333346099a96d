#include "storage/rocks_store.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/storage/crash_writer_process.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<RocksStore> MustOpen(const fs::path& directory) {
  auto store = RocksStore::Open({.directory = directory});
  if (!store.ok()) throw std::runtime_error(store.status().ToString());
  return std::move(*store);
}

void Put(RocksStore& store, const std::string& key, const std::string& value) {
  WriteBatch batch;
  batch.Put(key, value);
  ASSERT_EQ(store.Write(batch, Sync::kYes), Status{});
}

Status OpenStatus(const fs::path& directory) {
  return RocksStore::Open({.directory = directory}).status();
}

void Overwrite(const fs::path& file, std::streamoff offset, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(stream.seekp(offset)) << file;
  ASSERT_TRUE(stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) << file;
}

fs::path OnlyFileWithExtension(const fs::path& directory, const std::string& extension) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != extension) continue;
    EXPECT_TRUE(found.empty()) << found << " and " << entry.path();
    found = entry.path();
  }
  return found;
}

TEST(RocksStore, KeepsRecordsAcrossReopening) {
  const TempDir directory;
  for (int life = 0; life < 3; ++life) {
    const auto store = MustOpen(directory.path());
    if (life > 0) {
      EXPECT_EQ(*store->Get("life"), std::to_string(life - 1));
    }
    Put(*store, "life", std::to_string(life));
  }
}

TEST(RocksStore, KeepsDeletionsAcrossReopening) {
  const TempDir directory;
  Put(*MustOpen(directory.path()), "a", "1");
  WriteBatch batch;
  batch.Delete("a");
  ASSERT_EQ(MustOpen(directory.path())->Write(batch, Sync::kYes), Status{});
  EXPECT_EQ(*MustOpen(directory.path())->Get("a"), std::nullopt);
}

TEST(RocksStore, CreatesItsDirectoryWithParents) {
  const TempDir directory;
  Put(*MustOpen(directory.path() / "var" / "lib" / "db"), "a", "1");
  EXPECT_TRUE(fs::is_directory(directory.path() / "var" / "lib" / "db"));
}

TEST(RocksStore, OnlyItsOwnerMayReadIt) {
  const TempDir directory;
  fs::create_directory(directory.path() / "db");
  fs::permissions(directory.path() / "db", fs::perms(0755));
  Put(*MustOpen(directory.path() / "db"), "a", "1");
  EXPECT_EQ(fs::status(directory.path() / "db").permissions(), fs::perms::owner_all);
}

TEST(RocksStore, SecondOpeningInTheSameProcessIsRefused) {
  const TempDir directory;
  const auto first = MustOpen(directory.path());
  const Status second = OpenStatus(directory.path());
  EXPECT_EQ(second.code(), StatusCode::kUnavailable);
  EXPECT_NE(second.message().find("in use"), std::string::npos) << second.message();
}

TEST(RocksStore, OpeningWhileAnotherProcessHoldsItIsRefused) {
  const TempDir directory;
  CrashWriterProcess holder(directory.path());
  ASSERT_TRUE(holder.Read().has_value()); // it has opened the store
  const Status second = OpenStatus(directory.path());
  EXPECT_EQ(second.code(), StatusCode::kUnavailable);
  EXPECT_NE(second.message().find("in use by another process"), std::string::npos) << second.message();
  EXPECT_NE(second.message().find(directory.path().string()), std::string::npos) << second.message();
  ASSERT_TRUE(holder.Kill());
  EXPECT_EQ(OpenStatus(directory.path()), Status{});
}

TEST(RocksStore, RefusesADirectoryThatIsAFile) {
  const TempDir directory;
  std::ofstream(directory.path() / "file") << "text";
  EXPECT_EQ(OpenStatus(directory.path() / "file").code(), StatusCode::kUnavailable);
  EXPECT_EQ(OpenStatus(directory.path() / "file" / "below").code(), StatusCode::kUnavailable);
}

TEST(RocksStore, RefusesDamagedFilesAtOpening) {
  const TempDir directory;
  Put(*MustOpen(directory.path()), "a", "1");
  Overwrite(directory.path() / "CURRENT", 0, "nonsense");
  const Status status = OpenStatus(directory.path());
  EXPECT_EQ(status.code(), StatusCode::kCorruption) << status.ToString();
}

TEST(RocksStore, ReportsADamagedRecordInsteadOfGuessing) {
  const TempDir directory;
  Put(*MustOpen(directory.path()), "key", std::string(3000, 'v'));
  MustOpen(directory.path()); // moves the record from the log into a table file
  Overwrite(OnlyFileWithExtension(directory.path(), ".sst"), 1000, "damage");
  const auto store = MustOpen(directory.path());
  EXPECT_EQ(store->Get("key").status().code(), StatusCode::kCorruption);
  const Status scan = store->Scan("", [](std::string_view, std::string_view) { return true; });
  EXPECT_EQ(scan.code(), StatusCode::kCorruption) << scan.ToString();
}

TEST(RocksStore, ForgetsOnlyTheTornTailOfItsLog) {
  const TempDir directory;
  {
    const auto store = MustOpen(directory.path());
    Put(*store, "first", "1");
    Put(*store, "second", std::string(3000, '2'));
  }
  const fs::path log = OnlyFileWithExtension(directory.path(), ".log");
  fs::resize_file(log, fs::file_size(log) - 100);
  const auto store = MustOpen(directory.path());
  EXPECT_EQ(*store->Get("first"), "1");
  EXPECT_EQ(*store->Get("second"), std::nullopt);
}

TEST(RocksStore, KeepsNoLogOfItsOwn) {
  const TempDir directory;
  for (int life = 0; life < 3; ++life)
    Put(*MustOpen(directory.path()), "life", std::to_string(life));
  for (const auto& entry : fs::directory_iterator(directory.path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("LOG")) << entry.path();
}

TEST(RocksStoreOptions, DefaultsNeedOnlyADirectory) {
  EXPECT_EQ(Validate(RocksStoreOptions{.directory = "db"}), Status{});
  EXPECT_NE(Validate(RocksStoreOptions{}).message().find("directory"), std::string::npos);
}

TEST(RocksStoreOptions, NamesTheFieldThatIsOutOfRange) {
  const RocksStoreOptions good{.directory = "db"};
  auto options = good;
  options.block_cache_bytes = 0;
  EXPECT_NE(Validate(options).message().find("block_cache_bytes"), std::string::npos);
  options = good;
  options.write_buffer_bytes = kMiB / 16 - 1;
  EXPECT_NE(Validate(options).message().find("write_buffer_bytes"), std::string::npos);
  options.write_buffer_bytes = kMiB / 16;
  EXPECT_EQ(Validate(options), Status{});
  for (const int jobs : {0, 17}) {
    options.background_jobs = jobs;
    EXPECT_NE(Validate(options).message().find("background_jobs"), std::string::npos) << jobs;
  }
  options.background_jobs = 16;
  EXPECT_EQ(Validate(options), Status{});
}

TEST(RocksStoreOptions, OpenRefusesWhatValidateRefuses) {
  EXPECT_EQ(RocksStore::Open({}).status().code(), StatusCode::kInvalidArgument);
}

} // namespace
} // namespace avocet

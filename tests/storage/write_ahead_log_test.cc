#include "storage/write_ahead_log.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/rocks_store.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

namespace fs = std::filesystem;

/// A store whose log holds records "0", "1", ... of so many bytes each, every one of them synced.
class WriteAheadLog : public testing::Test {
protected:
  void Write(int records, size_t bytes) {
    auto store = RocksStore::Open({.directory = folder()});
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    for (int i = 0; i < records; ++i) {
      WriteBatch batch;
      batch.Put(std::to_string(i), std::string(bytes, static_cast<char>('a' + i % 26)));
      ASSERT_TRUE((*store)->Write(batch, Sync::kYes).ok());
    }
    store->reset();
    for (const auto& entry : fs::directory_iterator(folder())) {
      if (entry.path().extension() == ".log") log_ = entry.path();
    }
    std::ostringstream text;
    text << std::ifstream(log_, std::ios::binary).rdbuf();
    bytes_ = text.str();
  }

  void Replace(const std::string& bytes) const { std::ofstream(log_, std::ios::binary | std::ios::trunc) << bytes; }

  /// How many records a store reads from the folder as it is, "0" first and none left out; the error where it refuses.
  Result<int> Read() const {
    const TempDir copy;
    fs::copy(folder(), copy.path() / "db");
    auto store = RocksStore::Open({.directory = copy.path() / "db"});
    if (!store.ok()) return store.status();
    for (int i = 0;; ++i) {
      auto value = (*store)->Get(std::to_string(i));
      if (!value.ok()) return value.status();
      if (!*value) return i;
    }
  }

  fs::path folder() const { return directory_.path() / "db"; }

  fs::path log_;
  std::string bytes_;

private:
  TempDir directory_;
};

TEST_F(WriteAheadLog, IsWholeAfterAnOrderlyEnd) {
  Write(20, 50);
  EXPECT_EQ(CheckWriteAheadLogs(folder()), Status{});
  EXPECT_EQ(*Read(), 20);
  EXPECT_EQ(CheckWriteAheadLogs(folder() / "nothing"), Status{});
}

TEST_F(WriteAheadLog, ADamagedByteIsRefusedUnlessItIsInTheLastRecord) {
  Write(12, 50);
  const size_t last = bytes_.size() - bytes_.size() / 12;
  for (size_t at = 0; at < bytes_.size(); at += 5) {
    std::string damaged = bytes_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    Replace(damaged);
    const auto read = Read();
    if (at < last) {
      EXPECT_EQ(read.status().code(), StatusCode::kCorruption) << "byte " << at << ": " << (read.ok() ? *read : 0);
    } else {
      EXPECT_EQ(*read, 11) << "byte " << at << ": " << read.status().ToString();
    }
  }
}

TEST_F(WriteAheadLog, ATornEndCostsTheLastRecordAtMost) {
  Write(3, 50);
  for (size_t size = bytes_.size() - bytes_.size() / 3; size < bytes_.size(); size += 7) {
    Replace(bytes_.substr(0, size));
    EXPECT_EQ(*Read(), 2) << size;
    Replace(bytes_.substr(0, size) + std::string(bytes_.size() - size, '\0'));
    EXPECT_EQ(*Read(), 2) << "a page that did not come to the disk, from " << size;
  }
  Replace(bytes_ + std::string(300, '\x5a'));
  EXPECT_EQ(*Read(), 3) << "what a power cut left behind the end";
}

TEST_F(WriteAheadLog, DamageInOneBlockIsSeenFromTheNext) {
  Write(8, 20'000); // each crosses into the next block, or ends in it
  std::string damaged = bytes_;
  damaged.replace(1000, 4096, std::string(4096, '\0'));
  Replace(damaged);
  EXPECT_EQ(Read().status().code(), StatusCode::kCorruption);
}

TEST_F(WriteAheadLog, TheErrorSaysWhatToDoAndThatWorks) {
  Write(20, 50);
  std::string damaged = bytes_;
  damaged[bytes_.size() / 2] ^= 1;
  Replace(damaged);
  const std::string text = Read().status().message();
  const std::string option = "truncate --size=";
  ASSERT_NE(text.find(option), std::string::npos) << text;
  EXPECT_NE(text.find(log_.filename().string()), std::string::npos) << text;
  Replace(damaged.substr(0, std::stoul(text.substr(text.find(option) + option.size()))));
  EXPECT_EQ(*Read(), 10);
}

TEST_F(WriteAheadLog, ALaterLogGoesOnBehindATornEnd) {
  Write(6, 50);
  const std::string torn = bytes_.substr(0, bytes_.size() - 20);
  Replace(torn);
  const fs::path first = log_;
  Write(0, 0); // reads it, and begins another log
  ASSERT_NE(log_, first);
  {
    auto store = RocksStore::Open({.directory = folder()});
    WriteBatch batch;
    batch.Put("5", "again");
    ASSERT_TRUE((*store)->Write(batch, Sync::kYes).ok());
  }
  std::ofstream(first, std::ios::binary) << torn; // a power cut brought its name back
  EXPECT_EQ(*Read(), 6);
}

} // namespace
} // namespace avocet

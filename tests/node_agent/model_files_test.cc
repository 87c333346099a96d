#include "node_agent/model_files.h"

#include <fstream>
#include <iterator>
#include <random>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

std::string Bytes(size_t size, unsigned seed = 1) {
  std::minstd_rand random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

std::string ContentOf(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The other end of a download.
struct Source {
  std::string bytes;
  size_t piece = 1000;
  std::vector<uint64_t> offsets = {}; ///< asked for so far
  size_t fail_after = SIZE_MAX;       ///< calls

  ModelFiles::Fetch fetch() {
    return [this](const Sha256&, uint64_t offset) -> Result<std::string> {
      if (offsets.size() == fail_after) return Unavailable("the line is cut");
      offsets.push_back(offset);
      return bytes.substr(std::min<size_t>(offset, bytes.size()), piece);
    };
  }
};

class ModelFilesTest : public testing::Test {
protected:
  ModelFiles Open(uint64_t max_bytes = 1 << 20) {
    auto files = ModelFiles::Open({dir_.path() / "models", max_bytes});
    EXPECT_TRUE(files.ok()) << files.status().ToString();
    return std::move(files).value();
  }
  std::filesystem::path PartOf(const Sha256& file) const { return dir_.path() / "models" / (file.str() + ".part"); }
  size_t FilesOnDisk() const {
    const std::filesystem::directory_iterator items(dir_.path() / "models");
    return static_cast<size_t>(std::distance(begin(items), end(items)));
  }

  TempDir dir_;
};

const Sha256 kAbc("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

TEST(Sha256Of, MatchesThePublishedVectors) {
  EXPECT_EQ(Sha256Of("abc"), kAbc);
  EXPECT_EQ(Sha256Of("").str(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(ModelFilesTest, DigestOfAFileIsThatOfItsBytes) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{256 * 1024}, size_t{256 * 1024 + 1}}) {
    const std::string bytes = Bytes(size);
    std::ofstream(dir_.path() / "f", std::ios::binary) << bytes;
    EXPECT_EQ(*Sha256OfFile(dir_.path() / "f"), Sha256Of(bytes));
  }
  EXPECT_EQ(Sha256OfFile(dir_.path() / "none").status().code(), StatusCode::kNotFound);
}

TEST_F(ModelFilesTest, PutThenFindAndRead) {
  ModelFiles files = Open();
  EXPECT_EQ(*files.Put("abc"), kAbc);
  EXPECT_EQ(*files.Put("abc"), kAbc);
  EXPECT_EQ(ContentOf(*files.Find(kAbc)), "abc");
  EXPECT_EQ(*files.Read(kAbc, 0, 100), "abc");
  EXPECT_EQ(*files.Read(kAbc, 1, 1), "b");
  EXPECT_EQ(*files.Read(kAbc, 3, 10), "");
  EXPECT_EQ(*files.Read(kAbc, UINT64_MAX, 10), "");
  EXPECT_EQ(files.total_bytes(), 3u);
  EXPECT_EQ(FilesOnDisk(), 1u);
}

void Damage(const std::filesystem::path& file) {
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(1).put('X');
}

TEST_F(ModelFilesTest, ADamagedFileIsFetchedAgain) {
  const std::string bytes = Bytes(2500);
  const Sha256 file = Sha256Of(bytes);
  ModelFiles files = Open();
  Source source{bytes};
  const auto path = files.Ensure(file, bytes.size(), source.fetch());
  ASSERT_TRUE(path.ok());
  const size_t pieces = source.offsets.size();

  Damage(*path);
  ASSERT_TRUE(files.Ensure(file, bytes.size(), source.fetch()).ok());
  EXPECT_EQ(source.offsets.size(), 2 * pieces);
  EXPECT_EQ(ContentOf(*path), bytes);

  std::filesystem::resize_file(*path, 700);
  ASSERT_TRUE(files.Ensure(file, bytes.size(), source.fetch()).ok());
  EXPECT_EQ(ContentOf(*path), bytes);
  ASSERT_TRUE(files.Ensure(file, bytes.size(), source.fetch()).ok());
  EXPECT_EQ(source.offsets.size(), 3 * pieces) << "a good one is not";
}

TEST_F(ModelFilesTest, ADamagedFileIsReplacedByTheNextUpload) {
  ModelFiles files = Open();
  ASSERT_TRUE(files.Put("abc").ok());
  const auto path = *files.Find(kAbc);
  Damage(path);
  EXPECT_EQ(*files.PutChunk(kAbc, 0, 3, ""), 0U) << "what is there does not count";
  EXPECT_EQ(*files.PutChunk(kAbc, 0, 3, "abc"), 3U);
  EXPECT_EQ(ContentOf(path), "abc");
  Damage(path);
  ASSERT_TRUE(files.Put("abc").ok());
  EXPECT_EQ(ContentOf(path), "abc");
}

TEST_F(ModelFilesTest, ADamagedFileIsNotServed) {
  ASSERT_TRUE(Open().Put("abc").ok());
  ModelFiles files = Open();
  Damage(*files.Find(kAbc));
  EXPECT_EQ(files.Read(kAbc, 0, 10).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(files.Read(kAbc, 0, 10).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(FilesOnDisk(), 0U);
}

TEST_F(ModelFilesTest, OnlyItsOwnerMayReadThem) {
  ModelFiles files = Open();
  ASSERT_TRUE(files.Put("abc").ok());
  using std::filesystem::perms;
  const auto mode = [](const std::filesystem::path& path) { return std::filesystem::status(path).permissions(); };
  EXPECT_EQ(mode(dir_.path() / "models"), perms::owner_all);
  EXPECT_EQ(mode(*files.Find(kAbc)), perms::owner_read | perms::owner_write);
}

TEST_F(ModelFilesTest, AnUploadDoesNotOutliveARestartWithoutEviction) {
  const ModelFilesOptions options{.directory = dir_.path() / "models", .evict = false};
  ASSERT_TRUE(ModelFiles::Open(options)->PutChunk(kAbc, 0, 3, "ab").ok());
  EXPECT_EQ(FilesOnDisk(), 1U);
  ASSERT_TRUE(ModelFiles::Open(options).ok());
  EXPECT_EQ(FilesOnDisk(), 0U);
}

TEST_F(ModelFilesTest, SurvivesAReopen) {
  ASSERT_TRUE(Open().Put("abc").ok());
  ModelFiles files = Open();
  EXPECT_TRUE(files.Find(kAbc).ok());
}

TEST_F(ModelFilesTest, WhatIsNotThereIsNotFound) {
  ModelFiles files = Open();
  EXPECT_EQ(files.Find(kAbc).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(files.Read(kAbc, 0, 1).status().code(), StatusCode::kNotFound);
}

TEST_F(ModelFilesTest, ADigestIsNeverAPath) {
  ModelFiles files = Open();
  for (const char* name : {"", "../secret", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}) {
    EXPECT_EQ(files.Find(Sha256(name)).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(files.Ensure(Sha256(name), 3, Source{"abc"}.fetch()).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST_F(ModelFilesTest, DownloadsInPieces) {
  ModelFiles files = Open();
  Source source{Bytes(2500), 1000, {}};
  const Sha256 file = Sha256Of(source.bytes);
  const auto path = files.Ensure(file, 2500, source.fetch());
  ASSERT_TRUE(path.ok()) << path.status().ToString();
  EXPECT_EQ(ContentOf(*path), source.bytes);
  EXPECT_THAT(source.offsets, testing::ElementsAre(0, 1000, 2000));
  EXPECT_FALSE(std::filesystem::exists(PartOf(file)));
  ASSERT_TRUE(files.Ensure(file, 2500, source.fetch()).ok());
  EXPECT_EQ(source.offsets.size(), 3u) << "a present file is not downloaded again";
}

TEST_F(ModelFilesTest, ACutDownloadIsResumed) {
  Source source{Bytes(5000), 1000, {}, 2};
  const Sha256 file = Sha256Of(source.bytes);
  EXPECT_EQ(Open().Ensure(file, 5000, source.fetch()).status(), Unavailable("the line is cut"));
  EXPECT_EQ(Open().Find(file).status().code(), StatusCode::kNotFound) << "a partial file is not visible";
  EXPECT_EQ(std::filesystem::file_size(PartOf(file)), 2000u);
  Source again{source.bytes, 1000, {}};
  ASSERT_TRUE(Open().Ensure(file, 5000, again.fetch()).ok());
  EXPECT_THAT(again.offsets, testing::ElementsAre(2000, 3000, 4000));
}

TEST_F(ModelFilesTest, ADownloadThatEndsEarlyIsUnavailable) {
  ModelFiles files = Open();
  Source source{Bytes(1500), 1000, {}};
  const Status status = files.Ensure(Sha256Of(source.bytes), 2000, source.fetch()).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), testing::HasSubstr("ended after 1500 of 2000 bytes"));
}

TEST_F(ModelFilesTest, WrongBytesAreRefusedAndRemoved) {
  ModelFiles files = Open();
  Source source{Bytes(2500), 1000, {}};
  const Status status = files.Ensure(kAbc, 2500, source.fetch()).status();
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_EQ(FilesOnDisk(), 0u);
  Source longer{Bytes(2500), 1000, {}};
  EXPECT_EQ(files.Ensure(Sha256Of(longer.bytes), 2400, longer.fetch()).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(FilesOnDisk(), 0u);
}

TEST_F(ModelFilesTest, APartSpoiltByACrashIsDownloadedAfresh) {
  ModelFiles files = Open();
  Source source{Bytes(3000), 1000, {}};
  const Sha256 file = Sha256Of(source.bytes);
  std::ofstream(PartOf(file), std::ios::binary) << std::string(1000, '\0');
  ASSERT_TRUE(files.Ensure(file, 3000, source.fetch()).ok());
  EXPECT_THAT(source.offsets, testing::ElementsAre(1000, 2000, 0, 1000, 2000));
  std::filesystem::remove(*files.Find(file));
  std::ofstream(PartOf(file), std::ios::binary) << std::string(4000, '\0'); // too long
  source.offsets.clear();
  ASSERT_TRUE(files.Ensure(file, 3000, source.fetch()).ok());
  EXPECT_THAT(source.offsets, testing::ElementsAre(0, 1000, 2000));
}

TEST_F(ModelFilesTest, SizesOutOfRangeAreRefused) {
  ModelFiles files = Open();
  Source source{"abc", 10, {}};
  EXPECT_EQ(files.Ensure(kAbc, 2049 * kMiB, source.fetch()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(source.offsets.empty());
}

TEST_F(ModelFilesTest, TheLeastRecentlyUsedGoesFirst) {
  ModelFiles files = Open(3000);
  const Sha256 a = *files.Put(Bytes(1000, 1));
  const Sha256 b = *files.Put(Bytes(1000, 2));
  const Sha256 c = *files.Put(Bytes(1000, 3));
  ASSERT_TRUE(files.Find(a).ok());
  const Sha256 d = *files.Put(Bytes(1500, 4)); // 3 * 1000 + 1500 - 3000: two must go
  EXPECT_TRUE(files.Find(a).ok());
  EXPECT_FALSE(files.Find(b).ok());
  EXPECT_FALSE(files.Find(c).ok());
  EXPECT_TRUE(files.Find(d).ok());
}

TEST_F(ModelFilesTest, TheOrderOfUseSurvivesAReopen) {
  std::vector<Sha256> order;
  {
    ModelFiles files = Open(3000);
    for (unsigned i = 0; i < 3; ++i)
      order.push_back(*files.Put(Bytes(1000, i + 1)));
    ASSERT_TRUE(files.Find(order[0]).ok());
  }
  ModelFiles files = Open(3000);
  ASSERT_TRUE(files.Put(Bytes(1000, 9)).ok());
  EXPECT_TRUE(files.Find(order[0]).ok());
  EXPECT_FALSE(files.Find(order[1]).ok());
}

TEST_F(ModelFilesTest, APinnedFileIsNeverEvicted) {
  ModelFiles files = Open(3000);
  const Sha256 a = *files.Put(Bytes(1000, 1));
  const Sha256 b = *files.Put(Bytes(1000, 2));
  files.SetPinned({a});
  ASSERT_TRUE(files.Put(Bytes(2000, 3)).ok());
  EXPECT_TRUE(files.Find(a).ok());
  EXPECT_FALSE(files.Find(b).ok());
  const Status status = files.Put(Bytes(2001, 4)).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), testing::HasSubstr("1000 bytes must stay, the limit is 3000"));
  EXPECT_EQ(files.total_bytes(), 3000u) << "a refusal evicts nothing";
}

TEST_F(ModelFilesTest, WhatCanNeverFitIsRefusedBeforeTheDownload) {
  ModelFiles files = Open(1000);
  Source source{Bytes(1001), 1001, {}};
  EXPECT_EQ(files.Ensure(Sha256Of(source.bytes), 1001, source.fetch()).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(source.offsets.empty());
  Source fits{Bytes(1000), 1000, {}};
  EXPECT_TRUE(files.Ensure(Sha256Of(fits.bytes), 1000, fits.fetch()).ok());
}

TEST_F(ModelFilesTest, PartialFilesCountAndAreEvicted) {
  ModelFiles files = Open(3000);
  Source cut{Bytes(2000, 5), 1500, {}, 1};
  ASSERT_FALSE(files.Ensure(Sha256Of(cut.bytes), 2000, cut.fetch()).ok());
  EXPECT_EQ(files.total_bytes(), 1500u);
  ASSERT_TRUE(files.Put(Bytes(2000, 6)).ok());
  EXPECT_EQ(files.total_bytes(), 2000u);
}

TEST_F(ModelFilesTest, LeavesForeignFilesAlone) {
  ModelFiles files = Open(1000);
  std::ofstream(dir_.path() / "models" / "README") << Bytes(5000);
  ASSERT_TRUE(files.Put(Bytes(1000)).ok());
  EXPECT_TRUE(std::filesystem::exists(dir_.path() / "models" / "README"));
  EXPECT_EQ(files.total_bytes(), 1000u);
}

TEST_F(ModelFilesTest, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(dir_.path() / "file") << "x";
  EXPECT_FALSE(ModelFiles::Open({dir_.path() / "file" / "models"}).ok());
}

RC_GTEST_FIXTURE_PROP(ModelFilesTest, NeverExceedsTheLimitNorLosesPinnedFiles, ()) {
  std::filesystem::remove_all(dir_.path() / "models");
  ModelFiles files = Open(5000);
  std::set<Sha256> pinned;
  for (const int step : *rc::gen::resize(12, rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 200)))) {
    const std::string bytes = Bytes(static_cast<size_t>(step) * 20, static_cast<unsigned>(step));
    const auto put = files.Put(bytes);
    RC_ASSERT(put.ok() || put.status().code() == StatusCode::kResourceExhausted);
    if (put.ok() && step % 7 == 0) pinned.insert(*put);
    files.SetPinned(pinned);
    RC_ASSERT(files.total_bytes() <= 5000u);
    for (const Sha256& file : pinned)
      RC_ASSERT(files.Find(file).ok());
    if (put.ok()) RC_ASSERT(*files.Read(*put, 0, 10000) == bytes);
  }
}

TEST_F(ModelFilesTest, DownloadsAFileOfUnknownSize) {
  const std::string bytes = Bytes(2500);
  Source source{bytes};
  auto files = Open();
  const auto path = files.Ensure(Sha256Of(bytes), 0, source.fetch());
  ASSERT_TRUE(path.ok()) << path.status().ToString();
  EXPECT_EQ(ContentOf(*path), bytes);
}

TEST_F(ModelFilesTest, RefusesADownloadOfUnknownSizeThatGrowsBeyondTheBound) {
  const std::string bytes = Bytes(4000);
  Source source{bytes};
  auto files = Open(3000);
  EXPECT_EQ(files.Ensure(Sha256Of(bytes), 0, source.fetch()).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(ModelFilesTest, TakesAnUploadInPieces) {
  const std::string bytes = Bytes(2500);
  const Sha256 file = Sha256Of(bytes);
  auto files = Open();
  EXPECT_EQ(files.PutChunk(file, 0, 2500, "").value(), 0U);
  EXPECT_EQ(files.PutChunk(file, 0, 2500, bytes.substr(0, 1000)).value(), 1000U);
  EXPECT_EQ(files.Find(file).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(files.PutChunk(file, 1000, 2500, bytes.substr(1000)).value(), 2500U);
  EXPECT_EQ(ContentOf(files.Find(file).value()), bytes);
  EXPECT_EQ(files.PutChunk(file, 0, 2500, "").value(), 2500U) << "a present file wants nothing more";
}

TEST_F(ModelFilesTest, ResumesACutUpload) {
  const std::string bytes = Bytes(2500);
  const Sha256 file = Sha256Of(bytes);
  ASSERT_TRUE(Open().PutChunk(file, 0, 2500, bytes.substr(0, 700)).ok());
  auto files = Open();
  EXPECT_EQ(files.PutChunk(file, 0, 2500, bytes.substr(0, 1000)).value(), 700U) << "names where to go on";
  EXPECT_EQ(files.PutChunk(file, 700, 2500, bytes.substr(700)).value(), 2500U);
  EXPECT_EQ(ContentOf(files.Find(file).value()), bytes);
}

TEST_F(ModelFilesTest, RefusesAnUploadWithOtherBytes) {
  const Sha256 file = Sha256Of("what was announced");
  auto files = Open();
  EXPECT_EQ(files.PutChunk(file, 0, 3, "abc").status().code(), StatusCode::kCorruption);
  EXPECT_FALSE(std::filesystem::exists(PartOf(file)));
  EXPECT_EQ(files.PutChunk(file, 0, 3, "abcd").status().code(), StatusCode::kInvalidArgument)
      << "longer than announced";
  EXPECT_EQ(files.PutChunk(file, 0, 0, "").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ModelFilesTest, RefusesInsteadOfEvictingWhenTold) {
  auto files = ModelFiles::Open({dir_.path() / "models", 3000, false});
  ASSERT_TRUE(files.ok());
  const auto first = files->Put(Bytes(2000, 1));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(files->Put(Bytes(2000, 2)).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(files->Find(*first).ok());
}

} // namespace
} // namespace avocet

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/memory_store.h"
#include "storage/rocks_store.h"
#include "tests/support/temp_dir.h"

namespace avocet {
void showValue(const WriteBatch& batch, std::ostream& out) {
  for (const auto& change : batch.changes)
    rc::show(change.key, out);
}
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// A store and, where it has one, its directory.
struct TestedStore {
  std::unique_ptr<TempDir> directory;
  std::unique_ptr<Store> store;
};

TestedStore MakeMemory() {
  return {nullptr, std::make_unique<MemoryStore>()};
}

TestedStore MakeRocks() {
  auto directory = std::make_unique<TempDir>();
  auto store = RocksStore::Open({.directory = directory->path() / "db"});
  if (!store.ok()) throw std::runtime_error(store.status().ToString());
  return {std::move(directory), std::move(*store)};
}

struct Kind {
  const char* name;
  TestedStore (*make)();
};

void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

using Records = std::vector<std::pair<std::string, std::string>>;

Records ScanAll(const Store& store, std::string_view prefix) {
  Records records;
  const Status status = store.Scan(prefix, [&](std::string_view key, std::string_view value) {
    records.emplace_back(key, value);
    return true;
  });
  EXPECT_EQ(status, Status{});
  return records;
}

void PutAll(Store& store, const Records& records) {
  WriteBatch batch;
  for (const auto& [key, value] : records)
    batch.Put(key, value);
  ASSERT_EQ(store.Write(batch, Sync::kNo), Status{});
}

std::optional<std::string> Get(const Store& store, std::string_view key) {
  auto value = store.Get(key);
  EXPECT_TRUE(value.ok()) << value.status().ToString();
  return value.ok() ? *value : std::nullopt;
}

class StoreContract : public testing::TestWithParam<Kind> {
protected:
  TestedStore tested_ = GetParam().make();
  Store& store_ = *tested_.store;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::Values(Kind{"Memory", MakeMemory}, Kind{"Rocks", MakeRocks}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(StoreContract, GetsWhatWasPut) {
  PutAll(store_, {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(Get(store_, "a"), "1");
  EXPECT_EQ(Get(store_, "b"), "2");
}

TEST_P(StoreContract, AbsentKeyIsNoError) {
  PutAll(store_, {{"ab", "1"}});
  EXPECT_EQ(Get(store_, "a"), std::nullopt);
  EXPECT_EQ(Get(store_, "abc"), std::nullopt);
}

TEST_P(StoreContract, EmptyValueIsNotAbsent) {
  PutAll(store_, {{"a", ""}});
  EXPECT_EQ(Get(store_, "a"), "");
}

TEST_P(StoreContract, PutReplaces) {
  PutAll(store_, {{"a", "old"}});
  PutAll(store_, {{"a", "new"}});
  EXPECT_THAT(ScanAll(store_, ""), ElementsAre(Pair("a", "new")));
}

TEST_P(StoreContract, DeleteRemovesAndIgnoresTheAbsent) {
  PutAll(store_, {{"a", "1"}, {"b", "2"}});
  WriteBatch batch;
  batch.Delete("a");
  batch.Delete("never there");
  ASSERT_EQ(store_.Write(batch, Sync::kYes), Status{});
  EXPECT_EQ(Get(store_, "a"), std::nullopt);
  EXPECT_THAT(ScanAll(store_, ""), ElementsAre(Pair("b", "2")));
}

TEST_P(StoreContract, LastChangeOfAKeyWinsWithinABatch) {
  WriteBatch batch;
  batch.Put("put-delete", "1");
  batch.Delete("put-delete");
  batch.Delete("delete-put");
  batch.Put("delete-put", "2");
  batch.Put("put-put", "3");
  batch.Put("put-put", "4");
  ASSERT_EQ(store_.Write(batch, Sync::kNo), Status{});
  EXPECT_THAT(ScanAll(store_, ""), ElementsAre(Pair("delete-put", "2"), Pair("put-put", "4")));
}

TEST_P(StoreContract, EmptyBatchChangesNothing) {
  PutAll(store_, {{"a", "1"}});
  EXPECT_EQ(store_.Write({}, Sync::kYes), Status{});
  EXPECT_THAT(ScanAll(store_, ""), ElementsAre(Pair("a", "1")));
}

TEST_P(StoreContract, BatchIsKeptByItsOwner) {
  WriteBatch batch;
  batch.Put("a", "1");
  ASSERT_EQ(store_.Write(batch, Sync::kNo), Status{});
  ASSERT_EQ(batch.changes.size(), 1U);
  EXPECT_EQ(batch.changes[0].key, "a");
  EXPECT_EQ(batch.changes[0].value, "1");
}

TEST_P(StoreContract, ScanOfAnEmptyStoreVisitsNothing) {
  EXPECT_THAT(ScanAll(store_, ""), IsEmpty());
}

TEST_P(StoreContract, ScanVisitsInUnsignedByteOrder) {
  const std::string zero("a\0", 2);
  PutAll(store_, {{"a\xff", "4"}, {"a\x7f", "2"}, {"a\x80", "3"}, {zero, "1"}, {"a", "0"}});
  EXPECT_THAT(ScanAll(store_, "a"),
              ElementsAre(Pair("a", "0"), Pair(zero, "1"), Pair("a\x7f", "2"), Pair("a\x80", "3"), Pair("a\xff", "4")));
}

TEST_P(StoreContract, ScanKeepsToItsPrefix) {
  PutAll(store_, {{"ap", "0"}, {"app", "1"}, {"app/", "2"}, {"app/x", "3"}, {"app0", "4"}, {"b", "5"}});
  EXPECT_THAT(ScanAll(store_, "app/"), ElementsAre(Pair("app/", "2"), Pair("app/x", "3")));
  EXPECT_THAT(ScanAll(store_, "c"), IsEmpty());
}

TEST_P(StoreContract, ScanOfAPrefixThatEndsInTheLargestByte) {
  PutAll(store_, {{"a\xfe", "0"}, {"a\xff", "1"}, {"a\xff\xff", "2"}, {"b", "3"}});
  EXPECT_THAT(ScanAll(store_, "a\xff"), ElementsAre(Pair("a\xff", "1"), Pair("a\xff\xff", "2")));
}

TEST_P(StoreContract, ScanOfAPrefixOfLargestBytesOnly) {
  PutAll(store_, {{"\xfe", "0"}, {"\xff", "1"}, {"\xff\xff", "2"}, {"\xff\xff\xff", "3"}});
  EXPECT_THAT(ScanAll(store_, "\xff\xff"), ElementsAre(Pair("\xff\xff", "2"), Pair("\xff\xff\xff", "3")));
}

TEST_P(StoreContract, ScanStopsWhenTheVisitorSaysSo) {
  PutAll(store_, {{"a1", ""}, {"a2", ""}, {"a3", ""}});
  std::vector<std::string> seen;
  const Status status = store_.Scan("a", [&](std::string_view key, std::string_view) {
    seen.emplace_back(key);
    return key != "a2";
  });
  EXPECT_EQ(status, Status{});
  EXPECT_THAT(seen, ElementsAre("a1", "a2"));
}

TEST_P(StoreContract, KeysAndValuesAreAnyBytes) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte)
    bytes.push_back(static_cast<char>(byte));
  PutAll(store_, {{bytes, bytes + "value"}, {"", "of the empty key"}});
  EXPECT_EQ(Get(store_, bytes), bytes + "value");
  EXPECT_EQ(Get(store_, ""), "of the empty key");
  EXPECT_EQ(Get(store_, std::string_view(bytes).substr(0, 255)), std::nullopt);
}

TEST_P(StoreContract, KeepsValuesLargerThanItsBuffers) {
  std::string big(5 * kMiB, '\0');
  for (size_t i = 0; i < big.size(); ++i)
    big[i] = static_cast<char>((i * 2654435761U) >> 13U);
  PutAll(store_, {{"big", big}, {"small", "1"}});
  EXPECT_EQ(Get(store_, "big"), big);
  EXPECT_EQ(ScanAll(store_, "b").at(0).second, big);
}

TEST_P(StoreContract, KeepsManyRecordsThroughItsOwnHousekeeping) {
  constexpr int kRecords = 4000; // some MiB: several write buffers
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kRecords; ++i) {
      PutAll(store_, {{"key" + std::to_string(i), std::to_string(round) + std::string(1000, 'x')}});
    }
  }
  const auto records = ScanAll(store_, "key");
  ASSERT_EQ(records.size(), static_cast<size_t>(kRecords));
  for (const auto& [key, value] : records)
    EXPECT_EQ(value[0], '1') << key;
}

using Model = std::map<std::string, std::string>; // std::string compares bytes as unsigned

void Apply(const WriteBatch& batch, Model& model) {
  for (const auto& change : batch.changes) {
    if (change.value) {
      model[change.key] = *change.value;
    } else {
      model.erase(change.key);
    }
  }
}

Records WithPrefix(const Model& model, const std::string& prefix) {
  Records records;
  for (const auto& record : model) {
    if (record.first.starts_with(prefix)) records.emplace_back(record);
  }
  return records;
}

/// Short keys over few bytes, the extreme ones among them: collisions and shared prefixes are common.
rc::Gen<std::string> AnyKey() {
  return rc::gen::resize(3, rc::gen::container<std::string>(rc::gen::element('\0', 'a', 'b', '\xfe', '\xff')));
}

WriteBatch::Change MakeChange(std::string key, std::string value, bool deletes) {
  if (deletes) return {std::move(key), std::nullopt};
  return {std::move(key), std::move(value)};
}

rc::Gen<WriteBatch> AnyBatch() {
  const auto change =
      rc::gen::apply(MakeChange, AnyKey(), rc::gen::arbitrary<std::string>(), rc::gen::arbitrary<bool>());
  return rc::gen::map(rc::gen::container<std::vector<WriteBatch::Change>>(change),
                      [](std::vector<WriteBatch::Change> changes) { return WriteBatch{std::move(changes)}; });
}

TEST_P(StoreContract, BehavesLikeASortedMap) {
  rc::detail::checkGTest([this] {
    Model model;
    WriteBatch clear;
    for (const auto& record : ScanAll(store_, ""))
      clear.Delete(record.first);
    RC_ASSERT(store_.Write(clear, Sync::kNo).ok());
    for (const auto& batch : *rc::gen::container<std::vector<WriteBatch>>(AnyBatch())) {
      RC_ASSERT(store_.Write(batch, Sync::kNo).ok());
      Apply(batch, model);
      const std::string prefix = *AnyKey();
      RC_ASSERT(ScanAll(store_, prefix) == WithPrefix(model, prefix));
      const auto found = model.find(prefix);
      RC_ASSERT(Get(store_, prefix) == (found == model.end() ? std::nullopt : std::optional(found->second)));
    }
  });
}

} // namespace
} // namespace avocet

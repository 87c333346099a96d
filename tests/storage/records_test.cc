#include "storage/records.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.h"
#include "storage/rocks_store.h"
#include "tests/storage/records_fixture.h"
#include "tests/support/temp_dir.h"

namespace avocet::records {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Stores two values, reads both ways, deletes one.
template <class T>
void ExpectRoundTrip(Table<T> table, const std::string& id1, const T& value1, const std::string& id2, const T& value2) {
  SCOPED_TRACE(table.prefix);
  MemoryStore store;
  WriteBatch batch;
  Put(batch, table, value2);
  Put(batch, table, value1);
  Write(store, batch);
  EXPECT_THAT(MustLoadAll(store, table), ElementsAre(value1, value2));
  const auto loaded = Load(store, table, id1);
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  EXPECT_EQ(*loaded, value1);
  EXPECT_EQ(*Load(store, table, id2), value2);
  WriteBatch removal;
  Delete(removal, table, id1);
  Write(store, removal);
  EXPECT_THAT(MustLoadAll(store, table), ElementsAre(value2));
  EXPECT_EQ(*Load(store, table, id1), std::nullopt);
}

TEST(Records, EveryTableGivesBackWhatWasPut) {
  ExpectRoundTrip(kApplications, "belt", App("belt"), "door", App("door"));
  ExpectRoundTrip(kPlacements, "belt", PlacementOf("belt"), "door", PlacementOf("door"));
  ExpectRoundTrip(kDecisions, "belt", DecisionOn("belt"), "door", DecisionOn("door"));
  ExpectRoundTrip(kModels, "face:2", ModelNamed("face"), "pose:2", ModelNamed("pose"));
  ExpectRoundTrip(kProfiles, ProfileOn("cpu").key(), ProfileOn("cpu"), ProfileOn("gpu").key(), ProfileOn("gpu"));
  ExpectRoundTrip(kDeviceFits, "n1/gpu0", FitOf("n1/gpu0"), "n1/gpu1", FitOf("n1/gpu1"));
  ExpectRoundTrip(kTotals, "n1/gpu0/5s/1", SlotNumber(13), "n1/gpu0/5s/2", SlotNumber(2));
  ExpectRoundTrip(kNodes, "n1", Node("n1"), "n2", Node("n2"));
  ExpectRoundTrip(kEvents, EventId(1), EventNumber(1), EventId(2), EventNumber(2));
  ExpectRoundTrip(kPlan, "belt", Running("belt"), "door", Running("door"));
}

/// The record is refused by its key, and no store writes its batch: neither it nor what else is in there.
template <class T> void ExpectRefused(Table<T> table, const T& good, const T& bad, const std::string& why) {
  SCOPED_TRACE(table.prefix);
  WriteBatch batch;
  EXPECT_EQ(Put(batch, table, good), Status());
  const Status refused = Put(batch, table, bad);
  EXPECT_THAT(refused.message(), testing::AllOf(HasSubstr("record '" + std::string(table.prefix)), HasSubstr(why)));
  EXPECT_EQ(Put(batch, table, good), refused) << "once refused, the batch stays so";
  EXPECT_FALSE(batch.empty());
  MemoryStore store;
  EXPECT_EQ(store.Write(batch, Sync::kYes), refused);
  EXPECT_THAT(MustLoadAll(store, table), IsEmpty());
}

TEST(Records, WhatCouldNotBeReadBackIsNotWritten) {
  const std::string too_long(4097, 'x');
  auto app = App("door");
  app.rate_rps = -1;
  ExpectRefused(kApplications, App("door"), app, "field 'rate_rps'");
  auto placement = PlacementOf("door");
  placement.epoch = kMaxEpoch + 1;
  ExpectRefused(kPlacements, PlacementOf("door"), placement, "field 'epoch'");
  auto decision = DecisionOn("door");
  decision.verdicts[0].detail = too_long;
  ExpectRefused(kDecisions, DecisionOn("door"), decision, "field 'detail'");
  auto model = ModelNamed("door");
  model.variants.clear();
  ExpectRefused(kModels, ModelNamed("door"), model, "field 'variants'");
  auto profile = ProfileOn("gpu");
  profile.runs = 0;
  ExpectRefused(kProfiles, ProfileOn("gpu"), profile, "field 'runs'");
  auto fit = FitOf("n1/gpu0");
  fit.apps[0].rate.scv = std::numeric_limits<double>::quiet_NaN();
  ExpectRefused(kDeviceFits, FitOf("n1/gpu0"), fit, "field 'scv'");
  auto node = Node("n1");
  node.devices.clear();
  ExpectRefused(kNodes, Node("n1"), node, "field 'devices'");
  auto event = EventNumber(1);
  event.detail = too_long;
  ExpectRefused(kEvents, EventNumber(1), event, "field 'detail'");
  auto running = Running("door");
  running.reason = "caf\xC3";
  ExpectRefused(kPlan, Running("door"), running, "field 'reason'");
}

TEST(Records, AFitIsWrittenUpToItsBound) {
  auto fit = FitOf("n1/gpu0");
  fit.models.clear();
  for (size_t i = 0; i < kMaxAppsPerDevice; ++i)
    fit.models.push_back({MakeModelId("pose", std::to_string(i)), {}, {}});
  WriteBatch batch;
  EXPECT_EQ(Put(batch, kDeviceFits, fit), Status());
  MemoryStore store;
  Write(store, batch);
  EXPECT_THAT(MustLoadAll(store, kDeviceFits), ElementsAre(fit));
  fit.models.push_back({ModelId("last:1"), {}, {}});
  EXPECT_THAT(Put(batch, kDeviceFits, fit).message(), HasSubstr("field 'models' is a list of 4097"));
}

/// Each part is within its bound, and yet the whole is longer than what is decoded.
TEST(Records, ARecordThatIsTooLongToBeDecodedIsNotWritten) {
  auto decision = DecisionOn("door");
  decision.verdicts[0].detail = std::string(4096, 'x');
  decision.verdicts.resize(17'000, decision.verdicts[0]);
  for (size_t i = 0; i < decision.verdicts.size(); ++i)
    decision.verdicts[i].device = DeviceId("n1/gpu" + std::to_string(100'000 + i));
  WriteBatch batch;
  const Status refused = Put(batch, kDecisions, decision);
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.message(), HasSubstr("record 'decision/door' is not written"));
}

TEST(Records, ARefusedBatchIsNotWrittenToDisk) {
  const TempDir directory;
  auto store = RocksStore::Open({.directory = directory.path()});
  ASSERT_TRUE(store.ok());
  WriteBatch batch;
  Put(batch, kApplications, App("door"));
  Put(batch, kLastEpoch, kMaxEpoch + 1);
  EXPECT_THAT((*store)->Write(batch, Sync::kYes).message(), HasSubstr("'meta/last_epoch'"));
  EXPECT_THAT(MustLoadAll(**store, kApplications), IsEmpty());
}

/// What reading on finds in the table of events.
struct ReadEvents {
  std::vector<Event> values;
  std::vector<UnreadableRecord> unreadable;
  Status status;

  explicit ReadEvents(const Store& store) {
    status = ForEachReadable(
        store, kEvents, [this](Event event) { values.push_back(std::move(event)); }, unreadable);
  }
};

TEST(Records, ReadingOnTellsWhatCannotBeRead) {
  MemoryStore store;
  WriteBatch batch;
  Put(batch, kEvents, EventNumber(1));
  Put(batch, kEvents, EventNumber(3));
  Write(store, batch);
  WriteRaw(store, "event/" + EventId(2), "\xff junk");
  WriteRaw(store, "event/\n", "junk");
  const ReadEvents read(store);
  ASSERT_TRUE(read.status.ok());
  EXPECT_THAT(read.values, ElementsAre(EventNumber(1), EventNumber(3)));
  ASSERT_EQ(read.unreadable.size(), 2U);
  EXPECT_EQ(read.unreadable[0].shown_key, "'event/\\x0a'");
  EXPECT_EQ(read.unreadable[1].key, "event/" + EventId(2));
  EXPECT_EQ(read.unreadable[1].bytes, "\xff junk");
  EXPECT_THAT(read.unreadable[1].why.message(), HasSubstr("cannot be read"));
}

TEST(Records, WhatIsSetAsideIsKeptWhereNobodyReadsIt) {
  MemoryStore store;
  WriteRaw(store, "event/" + EventId(2), "\xff junk");
  WriteBatch batch;
  SetAside(batch, ReadEvents(store).unreadable.at(0));
  Write(store, batch);
  EXPECT_THAT(MustLoadAll(store, kEvents), IsEmpty());
  EXPECT_EQ(*store.Get("aside/event/" + EventId(2)), "\xff junk");
}

TEST(Records, TablesDoNotSeeEachOther) {
  MemoryStore store;
  WriteBatch batch;
  Put(batch, kApplications, App("door"));
  Put(batch, kPlacements, PlacementOf("door"));
  Put(batch, kLastEpoch, 7);
  Write(store, batch);
  EXPECT_THAT(MustLoadAll(store, kApplications), ElementsAre(App("door")));
  EXPECT_THAT(MustLoadAll(store, kPlacements), ElementsAre(PlacementOf("door")));
  EXPECT_THAT(MustLoadAll(store, kDecisions), IsEmpty());
}

TEST(Records, EventsComeInOrderOfTheirNumbers) {
  MemoryStore store;
  WriteBatch batch;
  const std::vector<uint64_t> numbers{2, 9, 10, 100, std::numeric_limits<uint64_t>::max()};
  for (auto it = numbers.rbegin(); it != numbers.rend(); ++it)
    Put(batch, kEvents, EventNumber(*it));
  Write(store, batch);
  std::vector<uint64_t> loaded;
  for (const auto& event : MustLoadAll(store, kEvents))
    loaded.push_back(event.sequence);
  EXPECT_EQ(loaded, numbers);
}

TEST(Records, CounterIsAbsentUntilPut) {
  MemoryStore store;
  EXPECT_EQ(*Load(store, kLastEpoch), std::nullopt);
  for (const uint64_t epoch : {uint64_t{0}, uint64_t{41}, kMaxEpoch}) {
    WriteBatch batch;
    Put(batch, kLastEpoch, epoch);
    Write(store, batch);
    EXPECT_EQ(*Load(store, kLastEpoch), epoch);
  }
}

TEST(Records, UnreadableCounterIsRefusedWithItsKey) {
  for (const std::string text : {"", "12x", "-1", "9223372036854775808", "18446744073709551616", " 1"}) {
    MemoryStore store;
    WriteRaw(store, std::string(kLastEpoch.key), text);
    const Status status = Load(store, kLastEpoch).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption) << text;
    EXPECT_THAT(status.message(), HasSubstr("'meta/last_epoch'"));
  }
}

TEST(Records, UndecodableRecordIsRefusedWithItsKey) {
  MemoryStore store;
  WriteBatch batch;
  Put(batch, kApplications, App("belt"));
  Write(store, batch);
  WriteRaw(store, "app/door", "\xff\xff not a record");
  const Status all = LoadAll(store, kApplications).status();
  EXPECT_EQ(all.code(), StatusCode::kCorruption);
  EXPECT_THAT(all.message(), HasSubstr("'app/door'"));
  const Status one = Load(store, kApplications, "door").status();
  EXPECT_EQ(one.code(), StatusCode::kCorruption);
  EXPECT_THAT(one.message(), HasSubstr("'app/door'"));
}

TEST(Records, EmptyRecordIsRefused) {
  MemoryStore store;
  WriteRaw(store, "app/door", "");
  EXPECT_EQ(LoadAll(store, kApplications).status().code(), StatusCode::kCorruption);
}

TEST(Records, RecordUnderAnothersIdIsRefused) {
  MemoryStore store;
  WriteBatch batch;
  Put(batch, kApplications, App("door"));
  WriteRaw(store, "app/gate", *batch.changes[0].value);
  const Status status = LoadAll(store, kApplications).status();
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_THAT(status.message(), HasSubstr("'app/gate'"));
  EXPECT_THAT(status.message(), HasSubstr("'app/door'"));
}

TEST(Records, UnprintableKeyIsShownEscaped) {
  MemoryStore store;
  WriteRaw(store, std::string("app/\n\xff"), "junk");
  EXPECT_THAT(LoadAll(store, kApplications).status().message(), HasSubstr("'app/\\x0a\\xff'"));
}

/// Fails every call, as a broken disk would.
class BrokenStore final : public Store {
public:
  Result<std::optional<std::string>> Get(std::string_view) const override { return Unavailable("broken disk"); }
  Status Scan(std::string_view, const std::function<bool(std::string_view, std::string_view)>&) const override {
    return Unavailable("broken disk");
  }
  Status Write(const WriteBatch&, Sync) override { return Unavailable("broken disk"); }
};

TEST(Records, FailureOfTheStoreIsPassedOn) {
  BrokenStore store;
  const Status broken = Unavailable("broken disk");
  EXPECT_EQ(Load(store, kApplications, "door").status(), broken);
  EXPECT_EQ(LoadAll(store, kApplications).status(), broken);
  EXPECT_EQ(ReadEvents(store).status, broken);
  EXPECT_EQ(Load(store, kLastEpoch).status(), broken);
  EXPECT_EQ(OpenSchema(store, StoreRole::kAgent), broken);
}

} // namespace
} // namespace avocet::records

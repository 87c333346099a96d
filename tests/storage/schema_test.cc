// The schema of a store: which role and version wrote it, and what is refused.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.h"
#include "storage/records.h"
#include "storage/rocks_store.h"
#include "tests/storage/records_fixture.h"
#include "tests/support/temp_dir.h"

namespace avocet::records {
namespace {

using testing::HasSubstr;

TEST(Schema, EmptyStoreBecomesOneOfTheRole) {
  MemoryStore store;
  ASSERT_EQ(OpenSchema(store, StoreRole::kController), Status{});
  EXPECT_EQ(*store.Get("meta/schema"), "controller 1");
  EXPECT_EQ(OpenSchema(store, StoreRole::kController), Status{});
}

TEST(Schema, SurvivesReopeningOnDisk) {
  const TempDir directory;
  for (int life = 0; life < 2; ++life) {
    auto store = RocksStore::Open({.directory = directory.path()});
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    EXPECT_EQ(OpenSchema(**store, StoreRole::kAgent), Status{});
  }
}

TEST(Schema, StoreOfAnotherRoleIsRefused) {
  MemoryStore store;
  ASSERT_EQ(OpenSchema(store, StoreRole::kAgent), Status{});
  const Status status = OpenSchema(store, StoreRole::kController);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("'agent'"));
}

TEST(Schema, NewerStoreIsRefusedByItsVersion) {
  MemoryStore store;
  WriteRaw(store, "meta/schema", "controller 7");
  const Status status = OpenSchema(store, StoreRole::kController);
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("written by schema 7, this program reads up to 1; install a newer avocet"));
}

TEST(Schema, VersionOnePastTheKnownIsRefused) {
  MemoryStore store;
  WriteRaw(store, "meta/schema", "controller " + std::to_string(kSchemaVersion + 1));
  EXPECT_EQ(OpenSchema(store, StoreRole::kController).code(), StatusCode::kUnsupported);
}

TEST(Schema, NewerStoreOfAnUnknownRoleIsRefusedByItsVersion) {
  MemoryStore store;
  WriteRaw(store, "meta/schema", "gateway 7");
  EXPECT_EQ(OpenSchema(store, StoreRole::kController).code(), StatusCode::kUnsupported);
}

TEST(Schema, UnreadableSchemaIsRefusedWithItsKey) {
  for (const std::string text : {"", "controller", "controller ", "controller x", "controller 0", "1 controller"}) {
    MemoryStore store;
    WriteRaw(store, "meta/schema", text);
    const Status status = OpenSchema(store, StoreRole::kController);
    EXPECT_EQ(status.code(), StatusCode::kCorruption) << text;
    EXPECT_THAT(status.message(), HasSubstr("'meta/schema'"));
  }
}

TEST(Schema, RecordsWithoutASchemaAreRefusedUntouched) {
  MemoryStore store;
  WriteRaw(store, "something", "else");
  EXPECT_EQ(OpenSchema(store, StoreRole::kController).code(), StatusCode::kCorruption);
  EXPECT_EQ(*store.Get("meta/schema"), std::nullopt);
  EXPECT_EQ(*store.Get("something"), "else");
}

} // namespace
} // namespace avocet::records

#include "actors/store_actor.h"

#include "node_agent/model_files.h"
#include "storage/records.h"
#include "tests/support/actor_fixture.h"
#include "tests/support/emulated_text.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

WriteBatch Batch(const std::string& key) {
  WriteBatch batch;
  batch.Put(key, "value");
  return batch;
}

class StoreActorTest : public ActorTest {
protected:
  store_actor Spawn(std::optional<ModelFiles> files = std::nullopt) {
    return Keep(SpawnStore(system, std::make_unique<FaultyStore>(control), std::move(files), false));
  }
  bool Has(const std::string& key) const { return control->memory.Get(key)->has_value(); }
  std::shared_ptr<FaultyStore::Control> control = std::make_shared<FaultyStore::Control>();
};

TEST_F(StoreActorTest, AnswersWhenTheBatchIsWritten) {
  const auto store = Spawn();
  EXPECT_TRUE(Ask<Done>(store, WriteRecords{Batch("a")}).ok());
  EXPECT_TRUE(Has("a"));
}

TEST_F(StoreActorTest, CommitsWaitingWritesTogether) {
  const auto store = Spawn();
  for (const char* key : {"a", "b", "c"})
    caf::anon_send(store, WriteRecords{Batch(key)});
  Run();
  EXPECT_EQ(control->writes, 1);
  EXPECT_TRUE(Has("a") && Has("b") && Has("c"));
}

TEST_F(StoreActorTest, BoundsHowManyWritesShareACommit) {
  const auto store = Spawn();
  for (size_t i = 0; i <= kMaxGroupCommit; ++i)
    caf::anon_send(store, WriteRecords{Batch(std::to_string(i))});
  Run();
  EXPECT_EQ(control->writes, 2);
}

TEST_F(StoreActorTest, NotifiesEverySenderOfAFailedCommit) {
  const auto store = Spawn();
  control->fail = true;
  EXPECT_EQ(Ask<Done>(store, WriteRecords{Batch("a")}).status(), Unavailable("the disk is full"));
  control->fail = false;
  EXPECT_TRUE(Ask<Done>(store, WriteRecords{Batch("b")}).ok());
  EXPECT_FALSE(Has("a")) << "a failed batch must not ride along with the next";
}

TEST_F(StoreActorTest, WritesWhatWaitsBeforeItStops) {
  const auto store = Spawn();
  caf::anon_send(store, WriteRecords{Batch("a")});
  EXPECT_TRUE(Ask<Done>(store, StopActor{}).ok());
  EXPECT_TRUE(Has("a"));
  EXPECT_EQ(Ask<Done>(store, WriteRecords{Batch("b")}).status().code(), StatusCode::kUnavailable);
}

TEST_F(StoreActorTest, KeepsModelFilesAndChecksThem) {
  TempDir dir;
  const auto store = Spawn(*ModelFiles::Open({.directory = dir.path()}));
  const std::string bytes = EmulatedText("m");
  const Sha256 file = Sha256Of(bytes);
  EXPECT_EQ(Ask<ModelChunkStored>(store, PutModelChunk{file, 0, bytes.size(), bytes})->next_offset, bytes.size());
  EXPECT_EQ(Ask<ModelChunk>(store, FetchModel{file, 2})->data, bytes.substr(2));
  EXPECT_EQ(Ask<ModelChunk>(store, FetchModel{file, bytes.size()})->data, "");
  Model model{.name = "m", .version = "1", .variants = {{ModelFormat::kEmulated, file, bytes.size()}}};
  EXPECT_TRUE(Ask<Done>(store, CheckModelFiles{model}).ok());
  model.variants[0].size_bytes = 1;
  EXPECT_EQ(Ask<Done>(store, CheckModelFiles{model}).status().code(), StatusCode::kInvalidArgument);
  model.variants[0].file = Sha256Of("another");
  EXPECT_EQ(Ask<Done>(store, CheckModelFiles{model}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Ask<ModelChunk>(store, FetchModel{Sha256Of("another"), 0}).status().code(), StatusCode::kNotFound);
}

TEST_F(StoreActorTest, AModelThatIsNotOfItsFormatIsRefused) {
  TempDir dir;
  const auto store = Spawn(*ModelFiles::Open({.directory = dir.path()}));
  const std::string bytes = EmulatedText("m");
  const Sha256 file = Sha256Of(bytes);
  ASSERT_TRUE(Ask<ModelChunkStored>(store, PutModelChunk{file, 0, bytes.size(), bytes}).ok());
  for (const auto format : {ModelFormat::kOnnx, ModelFormat::kTflite}) {
    const Model model{.name = "m", .variants = {{format, file, bytes.size()}}};
    EXPECT_EQ(Ask<Done>(store, CheckModelFiles{model}).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST_F(StoreActorTest, WhatAModelIsMeasuredWithMustBeStored) {
  TempDir dir;
  const auto store = Spawn(*ModelFiles::Open({.directory = dir.path()}));
  const std::string bytes = EmulatedText("m");
  const Sha256 file = Sha256Of(bytes), input = Sha256Of("four");
  ASSERT_TRUE(Ask<ModelChunkStored>(store, PutModelChunk{file, 0, bytes.size(), bytes}).ok());
  const Model model{.name = "m",
                    .variants = {{ModelFormat::kEmulated, file, bytes.size()}},
                    .samples = {{.name = "x", .fill = SampleFill::kFile, .file = input, .size_bytes = 4}}};
  EXPECT_EQ(Ask<Done>(store, CheckModelFiles{model}).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(Ask<ModelChunkStored>(store, PutModelChunk{input, 0, 4, "four"}).ok());
  EXPECT_TRUE(Ask<Done>(store, CheckModelFiles{model}).ok());
}

TEST_F(StoreActorTest, RefusesModelFilesWhereItKeepsNone) {
  const auto store = Spawn();
  EXPECT_EQ(Ask<ModelChunk>(store, FetchModel{Sha256Of("x"), 0}).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(Ask<ModelChunkStored>(store, PutModelChunk{}).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(Ask<Done>(store, CheckModelFiles{}).status().code(), StatusCode::kUnsupported);
}

} // namespace
} // namespace avocet

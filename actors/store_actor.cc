#include "actors/store_actor.h"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/errors.h"
#include "node_agent/engines/model_file.h"
#include "storage/records.h"

namespace avocet {
namespace {

using Self = store_actor::stateful_pointer<StoreActorState>;

void Flush(Self self) {
  auto& state = self->state;
  if (state.waiting.empty()) return;
  const Status status = state.store->Write(state.gathered, Sync::kYes);
  for (auto& promise : state.waiting) {
    if (status.ok())
      promise.deliver(Done{});
    else
      Refuse(promise, status);
  }
  state.waiting.clear();
  state.gathered.changes.clear();
}

/// A batch that was refused a record fails alone, not with those that it would have been committed with.
caf::result<Done> Gather(Self self, WriteRecords& write) {
  if (!write.batch.refused.ok()) return MakeError(write.batch.refused);
  auto& state = self->state;
  auto promise = self->make_response_promise<Done>();
  state.waiting.push_back(promise);
  for (auto& change : write.batch.changes)
    state.gathered.changes.push_back(std::move(change));
  if (state.waiting.size() >= kMaxGroupCommit) Flush(self);
  // The mailbox is first in, first out: what arrived before this message joins the commit.
  else if (state.waiting.size() == 1)
    self->send(self, FlushWrites{});
  return promise;
}

Status NoFiles() {
  return Unsupported("this store keeps no model files");
}

caf::result<ModelChunkStored> PutChunk(Self self, const PutModelChunk& chunk) {
  auto& files = self->state.files;
  if (!files) return MakeError(NoFiles());
  auto next = files->PutChunk(chunk.file, chunk.offset, chunk.total_bytes, chunk.data);
  if (!next.ok()) return MakeError(next.status());
  return ModelChunkStored{*next};
}

caf::result<ModelChunk> Fetch(Self self, const FetchModel& fetch) {
  auto& files = self->state.files;
  if (!files) return MakeError(NoFiles());
  auto data = files->Read(fetch.file, fetch.offset, kModelChunkBytes);
  if (!data.ok()) return MakeError(data.status());
  return ModelChunk{std::move(*data)};
}

/// The path of an uploaded file.
Result<std::filesystem::path> CheckUploaded(ModelFiles& files, const Sha256& file, uint64_t size_bytes) {
  auto path = files.Find(file);
  if (!path.ok()) return path.status().WithContext("upload the file before importing the model");
  const uint64_t size = std::filesystem::file_size(*path);
  if (size == size_bytes) return path;
  return InvalidArgument("file " + file.str() + " has " + std::to_string(size) + " bytes, the model says " +
                         std::to_string(size_bytes));
}

Status CheckFilesOf(ModelFiles& files, const Model& model) {
  std::vector<ModelFile> uploaded;
  for (const auto& variant : model.variants) {
    AVOCET_ASSIGN_OR_RETURN(auto path, CheckUploaded(files, variant.file, variant.size_bytes));
    uploaded.push_back({variant.format, std::move(path)});
  }
  for (const auto& sample : model.samples) {
    if (sample.fill != SampleFill::kFile) continue;
    AVOCET_RETURN_IF_ERROR(CheckUploaded(files, sample.file, sample.size_bytes).status());
  }
  return InspectModelFiles(uploaded, model.samples);
}

caf::result<Done> CheckFiles(Self self, const CheckModelFiles& check) {
  auto& files = self->state.files;
  if (!files) return MakeError(NoFiles());
  if (auto status = CheckFilesOf(*files, check.model); !status.ok()) return MakeError(status);
  return Done{};
}

caf::result<Decision> OnReadDecision(Self self, const ReadDecision& read) {
  auto decision = Load(*self->state.store, kDecisions, read.app.str());
  if (!decision.ok()) return MakeError(decision.status());
  if (!*decision) return MakeError(NotFound("no decision about application '" + read.app.str() + "' is kept"));
  return std::move(**decision);
}

} // namespace

store_actor::behavior_type StoreBehavior(Self self, const std::shared_ptr<std::unique_ptr<Store>>& store,
                                         const std::shared_ptr<std::optional<ModelFiles>>& files) {
  self->state.store = std::move(*store);
  self->state.files = std::move(*files);
  return {
      [self](WriteRecords& write) { return Gather(self, write); },
      [self](const PutModelChunk& chunk) { return PutChunk(self, chunk); },
      [self](const FetchModel& fetch) { return Fetch(self, fetch); },
      [self](const CheckModelFiles& check) { return CheckFiles(self, check); },
      [self](const ReadDecision& read) { return OnReadDecision(self, read); },
      [self](FlushWrites) { Flush(self); },
      [self](StopActor) -> caf::result<Done> {
        Flush(self);
        self->state.store.reset(); // who hears the answer may open the folder again
        self->quit();
        return Done{};
      },
  };
}

store_actor SpawnStore(caf::actor_system& system, std::unique_ptr<Store> store, std::optional<ModelFiles> files,
                       bool detached) {
  // CAF copies spawn arguments; the owning pointers travel inside a shared box that the actor empties.
  auto store_box = std::make_shared<std::unique_ptr<Store>>(std::move(store));
  auto files_box = std::make_shared<std::optional<ModelFiles>>(std::move(files));
  if (detached) return system.spawn<caf::detached>(StoreBehavior, store_box, files_box);
  return system.spawn(StoreBehavior, store_box, files_box);
}

} // namespace avocet

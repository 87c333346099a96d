#pragma once

#include <memory>
#include <optional>

#include "actors/interfaces.h"
#include "node_agent/model_files.h"
#include "storage/store.h"

namespace avocet {

/// Owns the Store and, on the controller, the model files. Blocks on the disk: spawn it detached.
/// Writes that wait in the mailbox together are one synced commit (group commit); each sender is
/// answered when its own records are on disk, or with the Status of the failed commit.
struct StoreActorState {
  static inline const char* name = "store";
  std::unique_ptr<Store> store;
  std::optional<ModelFiles> files;
  WriteBatch gathered;
  std::vector<caf::typed_response_promise<Done>> waiting;
};

/// At most this many writes share a commit; it bounds the time to the first answer.
inline constexpr size_t kMaxGroupCommit = 256;

store_actor::behavior_type StoreBehavior(store_actor::stateful_pointer<StoreActorState> self,
                                         const std::shared_ptr<std::unique_ptr<Store>>& store,
                                         const std::shared_ptr<std::optional<ModelFiles>>& files);

/// Spawns it; `detached` is false only under the deterministic test scheduler.
store_actor SpawnStore(caf::actor_system& system, std::unique_ptr<Store> store, std::optional<ModelFiles> files,
                       bool detached);

} // namespace avocet

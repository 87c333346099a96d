#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "messages/application.h"
#include "messages/command.h"
#include "messages/device.h"
#include "messages/measurement.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/removal.h"
#include "messages/status.h"
#include "messages/totals.h"
#include "storage/store.h"

/// Everything Avocet keeps on disk: this table is the only place that knows keys and versions. A
/// record is stored under its table's prefix followed by its id, as the bytes that messages/codec/codec.h
/// makes of it. A change that older programs would misread raises kSchemaVersion.
namespace avocet {

/// Version 1: the first.
inline constexpr uint64_t kSchemaVersion = 1;

/// Records of one type, under keys that begin with `prefix`.
template <class T> struct Table { std::string_view prefix; };

/// Every type of record of the controller, once: its table, its type, the prefix of its keys, and what follows the
/// prefix in the key of a record `value`. A new type of record is one line here; it needs a codec
/// (messages/codec/codec.h) and a Validate.
// clang-format off
#define AVOCET_RECORDS(RECORD)                                                                                         \
  RECORD(kApplications, Application, "app/", value.name.str()) /* those admitted or waiting */                         \
  RECORD(kPlacements, Placement, "placement/", value.app.str())                                                        \
  RECORD(kDecisions, Decision, "decision/", value.app.name.str()) /* KeptDecision */                                   \
  RECORD(kRemovals, Removal, "removed/", value.app.str()) /* applications, so that their copies can be stopped */      \
  RECORD(kModels, Model, "model/", value.id().str())                                                                   \
  RECORD(kProfiles, Profile, "profile/", value.key())                                                                  \
  RECORD(kDeviceFits, DeviceFit, "fit/", value.device.str())                                                           \
  RECORD(kTotals, TotalsSlot, "totals/", SlotId(value)) /* of applications */                                          \
  RECORD(kNodes, NodeInfo, "node/", value.id.str()) /* the last introduction */                                        \
  RECORD(kEvents, Event, "event/", EventId(value.sequence)) /* oldest first */
// clang-format on

#define AVOCET_TABLE(name, Type, prefix, id) inline constexpr Table<Type> name{prefix};
AVOCET_RECORDS(AVOCET_TABLE)
#undef AVOCET_TABLE

/// Of the agent: what it was told to run.
inline constexpr Table<Placement> kPlan{"plan/"};

/// A number with a name.
struct Counter {
  std::string_view key;
  uint64_t most; ///< a larger one is neither written nor read
};
/// Controller: the last epoch given to a command.
inline constexpr Counter kLastEpoch{"meta/last_epoch", kMaxEpoch};
/// Controller: its cluster (actors/protocol/cluster_guard.h). Agent: the one that it belongs to. Never 0.
inline constexpr Counter kCluster{"meta/cluster", std::numeric_limits<uint64_t>::max()};
/// Agent: the largest epoch of all commands that it ever took.
inline constexpr Counter kHighestEpoch{"meta/highest_epoch", kMaxEpoch};
/// Agent: tells it from others of its name; never 0.
inline constexpr Counter kInstance{"meta/instance", std::numeric_limits<uint64_t>::max()};

/// The id of an event's record: as text it sorts like the number.
std::string EventId(uint64_t sequence);

/// Adds the record to the batch; replaces one with the same id. What could not be read back (Validate, or too long) is
/// not added, and from then on the batch is not written: the answer is `batch.refused`, also where an earlier record
/// was refused. So a caller may leave it to the write to fail.
template <class T> const Status& Put(WriteBatch& batch, Table<T> table, const T& value);
const Status& Put(WriteBatch& batch, Counter counter, uint64_t value);

/// Removes the record, if there is one.
template <class T> void Delete(WriteBatch& batch, Table<T> table, std::string_view id) {
  batch.Delete(std::string(table.prefix).append(id));
}

/// The record; nullopt when absent; kCorruption that names the key when it does not decode, or is
/// stored under an id that is not its own.
template <class T> Result<std::optional<T>> Load(const Store& store, Table<T> table, std::string_view id);
Result<std::optional<uint64_t>> Load(const Store& store, Counter counter);
/// The number; where there is none, one is drawn (never 0) and written with sync.
Result<uint64_t> LoadOrDraw(Store& store, Counter counter);

/// All records in order of id; the first one that cannot be read is the error. As Load().
template <class T> Result<std::vector<T>> LoadAll(const Store& store, Table<T> table);

/// A record that cannot be read.
struct UnreadableRecord {
  std::string key;
  std::string bytes;
  std::string shown_key; ///< printable
  Status why;            ///< names the key
};

/// Hands each record to `take`, in order of id, one in memory at a time; those that cannot be read are added to
/// `unreadable`. `take` must not write to the store. For records whose loss costs no decision.
template <class T> Status ForEachReadable(const Store& store, Table<T> table,
                                          const std::function<void(std::type_identity_t<T>)>& take,
                                          std::vector<UnreadableRecord>& unreadable);

/// Moves a record out of its table: its bytes are kept under "aside/" and its key, where nobody reads them.
void SetAside(WriteBatch& batch, const UnreadableRecord& record);

/// Whose records a store holds. The name is part of the schema record.
enum class StoreRole { kController = 1, kAgent = 2 };
std::string_view ToString(StoreRole role); ///< "controller", "agent"

/// Makes an empty store one of this role and version, with sync; checks any other. kUnsupported: it
/// was written by a newer program. kInvalidArgument: it is another role's. kCorruption: it holds
/// records but no readable schema record. Comes before any other use of a store.
Status OpenSchema(Store& store, StoreRole role);

} // namespace avocet

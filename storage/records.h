#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/application.h"
#include "messages/command.h"
#include "messages/device.h"
#include "messages/measurement.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/status.h"
#include "storage/store.h"

/// Everything Avocet keeps on disk: this table is the only place that knows keys and versions. A
/// record is stored under its table's prefix followed by its id, as the bytes that messages/codec.h
/// makes of it. A change that older programs would misread raises kSchemaVersion.
namespace avocet {

/// Version 1: the first.
inline constexpr uint64_t kSchemaVersion = 1;

/// Records of one type, under keys that begin with `prefix`.
template <class T> struct Table { std::string_view prefix; };

// Of the controller.
inline constexpr Table<Application> kApplications{"app/"};   ///< by name; those admitted or waiting
inline constexpr Table<Placement> kPlacements{"placement/"}; ///< by application
inline constexpr Table<Decision> kDecisions{"decision/"};    ///< the last one, by application
inline constexpr Table<Model> kModels{"model/"};             ///< by ModelId
inline constexpr Table<Profile> kProfiles{"profile/"};       ///< by Profile::key()
inline constexpr Table<DeviceFit> kDeviceFits{"fit/"};       ///< by DeviceId
inline constexpr Table<NodeInfo> kNodes{"node/"};            ///< the last introduction, by NodeId
inline constexpr Table<Event> kEvents{"event/"};             ///< by EventId(sequence): oldest first
// Of the agent.
inline constexpr Table<RunningApp> kPlan{"plan/"}; ///< what it was told to run, by application

/// A number with a name.
struct Counter {
  std::string_view key;
};
inline constexpr Counter kLastEpoch{"meta/last_epoch"}; ///< controller: the last epoch given to a command
inline constexpr Counter kInstance{"meta/instance"};    ///< agent: tells it from others of its name; never 0

/// The id of an event's record: as text it sorts like the number.
std::string EventId(uint64_t sequence);

/// Adds the record to the batch; replaces one with the same id. Requires that `id` is the table's
/// id of `value`.
template <class T> void Put(WriteBatch& batch, Table<T> table, std::string_view id, const T& value);
void Put(WriteBatch& batch, Counter counter, uint64_t value);

/// Removes the record, if there is one.
template <class T> void Delete(WriteBatch& batch, Table<T> table, std::string_view id) {
  batch.Delete(std::string(table.prefix).append(id));
}

/// The record; nullopt when absent; kCorruption that names the key when it does not decode, or is
/// stored under an id that is not its own.
template <class T> Result<std::optional<T>> Load(const Store& store, Table<T> table, std::string_view id);
Result<std::optional<uint64_t>> Load(const Store& store, Counter counter);

/// All records in order of id; the first one that cannot be read is the error. As Load().
template <class T> Result<std::vector<T>> LoadAll(const Store& store, Table<T> table);

/// Whose records a store holds. The name is part of the schema record.
enum class StoreRole { kController = 1, kAgent = 2 };
std::string_view ToString(StoreRole role); ///< "controller", "agent"

/// Makes an empty store one of this role and version, with sync; checks any other. kUnsupported: it
/// was written by a newer program. kInvalidArgument: it is another role's. kCorruption: it holds
/// records but no readable schema record. Comes before any other use of a store.
Status OpenSchema(Store& store, StoreRole role);

} // namespace avocet

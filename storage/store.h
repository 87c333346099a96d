#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// Whether a write must survive power loss before it is acknowledged.
enum class Sync { kNo, kYes };

/// Changes that become visible, and durable, all together or not at all. One that was refused a record
/// (storage/records.h) is not written: whoever writes it gets `refused`.
struct WriteBatch {
  struct Change {
    std::string key;
    std::optional<std::string> value; ///< nullopt deletes
  };
  std::vector<Change> changes;
  Status refused; ///< ok, or why the first record was refused

  void Put(std::string key, std::string value) { changes.push_back({std::move(key), std::move(value)}); }
  void Delete(std::string key) { changes.push_back({std::move(key), std::nullopt}); }
  bool empty() const { return changes.empty() && refused.ok(); }
};

/// Ordered, durable keys and values; both are any bytes, compared as unsigned. Calls block (a sync
/// write for milliseconds); one owner calls it, from one thread at a time. Within a batch the last
/// change of a key wins. After a failed write nothing of the batch is visible.
class Store {
public:
  virtual ~Store() = default;

  /// The value, nullopt when the key is absent, or kCorruption / kUnavailable.
  virtual Result<std::optional<std::string>> Get(std::string_view key) const = 0;

  /// Calls `visit` for each key that begins with `prefix`, in byte order, until it returns false.
  /// Sees the store as it was when the scan began. `visit` must not write to the store.
  virtual Status Scan(std::string_view prefix,
                      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;

  /// Applies the batch atomically; with Sync::kYes it is on disk when this returns ok,
  /// and so is every earlier write. An empty batch changes nothing and syncs nothing. A batch with
  /// `refused` changes nothing and is answered with it.
  virtual Status Write(const WriteBatch& batch, Sync sync) = 0;
};

} // namespace avocet

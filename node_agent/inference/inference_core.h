#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messages/device.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/inference/byte_budget.h"
#include "node_agent/inference/inference_statistics.h"
#include "node_agent/inference/router.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

struct InferenceCoreOptions {
  std::string server_name = "avocet";
  std::string server_version;
  uint64_t max_bytes_in_flight = 512 * kMiB; ///< requests and answers that all connections hold together
  uint64_t max_answer_bytes = 64 * kMiB;     ///< a model's outputs for one request, and the JSON of its answer
};

/// What a client may know of an application. `name` is the application's: clients' word for it is model.
struct ServedModel {
  std::string name;
  std::string version;
  ModelId model;
  std::string platform; ///< "avocet_<engine>"
  DeviceId device;
  DeviceKind kind = DeviceKind::kCpu;
  bool emulated = false;
  ModelSignature signature;
};

/// One application's statistics.
struct ServedStatistics {
  std::string name;
  std::string version;
  InferenceTotals totals;
};

/// One line of the repository index. Every application that is listed is ready.
struct IndexEntry {
  std::string name;
  std::string version;
};

/// The part of "<name>:<version>" behind the colon.
std::string VersionOf(const ModelId& model);

/// What the Open Inference Protocol says of this node, whatever the transport: who is served, with
/// which tensors, and what it came to. Clients' model name is the application's name. Thread-safe;
/// never blocks.
class InferenceCore {
public:
  InferenceCore(InferenceCoreOptions options, std::shared_ptr<const Router> router);

  const InferenceCoreOptions& options() const { return options_; }
  bool ready() const { return ready_; }
  void SetReady(bool ready) { ready_ = ready; }
  /// In Triton's spelling.
  static const std::vector<std::string_view>& extensions();

  /// The route of a served application in the version that was asked for (empty: any), or kNotFound.
  Result<Route> Find(const std::string& name, const std::string& version) const;
  Result<ServedModel> Describe(const std::string& name, const std::string& version) const;
  /// An empty name: all that are served. One application's trouble never fails the others'.
  Result<std::vector<ServedStatistics>> Statistics(const std::string& name, const std::string& version) const;
  std::vector<IndexEntry> Index() const;

  ByteBudget& budget() { return budget_; }
  /// The shares of client addresses (ClientKey) in the budget.
  BudgetShares& clients() { return clients_; }
  /// A request that was refused before any application could be charged with it.
  void CountRefusal(StatusCode why) { ++refusals_[static_cast<size_t>(why)]; }
  std::array<uint64_t, kStatusCodes> refusals() const;

  /// Why models are not loaded and unloaded through the protocol.
  static Status RefuseRepositoryChange();
  /// There never is a shared memory region of that name: kNotFound.
  static Status NoSharedMemory(const std::string& region);
  /// kUnsupported, of a part of Triton's protocol: "shared memory".
  static Status NotServed(const std::string& extension);

private:
  const InferenceCoreOptions options_;
  const std::shared_ptr<const Router> router_;
  std::atomic<bool> ready_ = false;
  ByteBudget budget_;
  BudgetShares clients_;
  std::array<std::atomic<uint64_t>, kStatusCodes> refusals_{};
};

} // namespace avocet

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "controller/placement/content_key.h"
#include "controller/placement/device_load.h"
#include "controller/placement/model_demand.h"
#include "controller/queueing/preprocessing.h"

namespace avocet {

struct Policy;

/// The statistic's limit for an application: tolerance x (objective - network allowance).
Duration LimitOf(const Application& app, const Policy& policy);

/// What an application may take on a device.
struct Goal {
  Statistic statistic = Statistic::kP95;
  double limit_s = 0;      ///< tolerance x (objective - network allowance)
  double preprocess_s = 0; ///< on cores of speed 1, before the request is queued
};

/// One application on a device, beside its load there.
struct Tenant {
  const Application* app = nullptr; ///< borrowed
  Goal goal;
  uint64_t model_bytes = 0; ///< of its model, shared with the model's other applications
  uint64_t own_bytes = 0;
};

/// What an application would bring to a device.
struct Demand {
  Tenant tenant;
  AppLoad load;
  ContentKey key;                   ///< of all that counts for a prediction
  const Profile* profile = nullptr; ///< borrowed; nullptr: known from operation alone
};

/// A device and what runs on it, resolved: admission rates, fitted or profiled service times, limits. A value; what
/// the models are asked about. Residents without timing are left out.
struct Tenancy {
  const DeviceView* device = nullptr; ///< borrowed
  DeviceLoad load;                    ///< residents in order of name, then who was added
  std::vector<Tenant> tenants;        ///< as load.apps
  Preprocessing preprocessing;        ///< of the whole node
  uint64_t memory_bytes = 0;
  ContentKey key; ///< of all that counts for a prediction, except preprocessing.busy

  static Tenancy Empty(const ClusterView& view, const DeviceView& device);

  bool HasModel(const ModelId& model) const;
  /// What pre-processing the applications of this device alone keep busy.
  double BusyCores() const;
  /// What it would take to load the application here.
  uint64_t BytesFor(const Demand& demand) const;

  void Add(Demand demand);
  void Remove(size_t index);
  /// Undoes Add. Requires `before`, as it was.
  void RemoveLast(const Tenancy& before);
  /// The rate of the last one.
  void SetLastRate(double rate_rps);

private:
  void RecomputeKey();
};

/// An application that looks for a place.
struct Newcomer {
  const Application* app = nullptr; ///< borrowed, as the model
  const Model* model = nullptr;     ///< nullptr: not imported
  double rate_rps = 0;
};

/// Every device's tenancy without one application, in order of device. Borrows the view, which must not change, and the
/// policy. A value; not thread-safe, nor are two copies of one, which share what they know of the models.
class Occupancy {
public:
  Occupancy(const ClusterView& view, const Policy& policy, const AppId& without);

  size_t size() const { return tenancies_.size(); }
  const Tenancy& operator[](size_t device) const { return tenancies_[device]; }
  /// What the newcomer would bring to the device; nullopt where nothing is known of its model there.
  std::optional<Demand> DemandOn(size_t device, const Newcomer& newcomer) const;
  /// The other devices of the same node.
  std::vector<size_t> Neighbours(size_t device) const;
  /// What if: the tenant goes; the tenant comes.
  void Remove(size_t device, size_t tenant);
  void Add(size_t device, const Demand& demand);

private:
  /// Pre-processing of any device of a node slows that of all.
  void SpreadCores(size_t device);

  const Policy* policy_;
  std::shared_ptr<ModelDemands> models_;
  std::vector<Tenancy> tenancies_;
};

} // namespace avocet

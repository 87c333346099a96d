#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>

#include "controller/cluster/cluster_view.h"
#include "controller/placement/content_key.h"
#include "controller/queueing/latency_model.h"

namespace avocet {

/// What was predicted of devices, for whoever describes a cluster again and again: a prediction is computed once per
/// content of a device's load. The latest one of each device is kept; answers are the same with any book. Not
/// thread-safe.
class PredictionBook {
public:
  /// From now on at most that many predictions are computed; of other devices only what is known is given.
  void Allow(size_t computations) { allowed_ = computations; }
  /// False: the allowance is used up, so that something may be missing.
  bool may_compute() const { return allowed_ > 0; }

  /// Of the device with that load. nullptr: it is not known, and no more may be computed. Valid until the next call
  /// for that device, or KeepOnly.
  const DevicePrediction* Find(const DeviceId& device, const DeviceLoad& load);

  /// Forgets devices that the view does not have.
  void KeepOnly(const ClusterView& view);

  /// Predictions that were computed so far.
  uint64_t computed() const { return computed_; }

private:
  struct Entry {
    ContentKey load;
    DevicePrediction prediction;
  };
  std::map<DeviceId, Entry> entries_;
  size_t allowed_ = std::numeric_limits<size_t>::max();
  uint64_t computed_ = 0;
};

} // namespace avocet

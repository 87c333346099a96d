#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "messages/ids.h"
#include "node_agent/engines/engine.h"
#include "node_agent/scheduling/device_request.h"

namespace avocet {

class Executor;

/// A model in a device's memory. Shared by the work that needs it, so an unload waits for none.
struct Resident {
  ModelId id;
  uint64_t generation = 0; ///< from 1, another one for each load: a reloaded model is cold again
  uint64_t memory_bytes = 0;
  std::unique_ptr<LoadedModel> model;
  FirstRun first_run; ///< what probes run on; under the lock of DeviceModels
  /// What a run may be expected to take at most: the longest one, forgotten by an eighth with each that is shorter.
  std::atomic<Duration> longest_run = Duration::max();
};

/// An application that may submit to a device.
struct Attachment {
  AppId app;
  std::shared_ptr<Resident> model;
  Executor* executor = nullptr; ///< lives as long as the model is loaded
  std::atomic<bool> draining = false;
  std::atomic<size_t> pending = 0; ///< accepted and not yet answered
};

/// One run that an executor is to make: an application's request, a warm-up or a probe.
struct Work {
  InferenceRequest request;
  Stamps stamps;
  std::shared_ptr<Resident> model;
  std::shared_ptr<Attachment> attachment; ///< null for warm-ups and probes
  std::optional<ProbeKind> probe;
  std::shared_ptr<Resident> other; ///< kSwitched: run first when the device last ran `model`; null: feign it
  std::shared_ptr<const ProbeInputs> other_inputs; ///< of `other`
};

} // namespace avocet

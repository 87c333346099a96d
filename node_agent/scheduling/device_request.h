#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// The moments of a request's life on this node. Response time = finished - received.
struct Stamps {
  MonotonicTime received{}; ///< completely received by the endpoint
  MonotonicTime enqueued{}; ///< accepted by the scheduler
  MonotonicTime started{};  ///< an executor took it
  MonotonicTime finished{}; ///< the engine returned
};

struct Completion {
  Status status;
  std::vector<Tensor> outputs;
  Stamps stamps;
  bool switched = false;
  Duration attained_service{}; ///< as the engine reported it; 0 for a request that did not run
};

struct InferenceRequest {
  AppId app;
  std::vector<TensorView> inputs;
  std::shared_ptr<const void> keep_alive; ///< owner of the bytes behind `inputs`
  MonotonicTime received{};
  std::optional<MonotonicTime> deadline;
  uint64_t max_output_bytes = std::numeric_limits<uint64_t>::max(); ///< as RunRequest::max_output_bytes
  uint64_t max_memory_bytes = std::numeric_limits<uint64_t>::max(); ///< as of RunRequest; the scheduler says it
  std::stop_token cancel; ///< the caller gave up: not run at its turn, stopped when the engine can
  /// Called exactly once and outside all locks, unless Submit() refused: on an executor thread, or
  /// on the thread that detaches, drops or destroys. Must neither block nor throw nor call back
  /// into anything but Submit() and CloseWindow().
  std::function<void(Completion)> done;
};

/// What must have run on the device right before a probe.
enum class ProbeKind {
  kWarm = 1,     ///< the same model
  kSwitched = 2, ///< another model
};

/// What one run of a model cost.
struct Probe {
  Duration attained_service{}; ///< switch included when `switched`
  bool switched = false;
};

} // namespace avocet

#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "messages/device.h"
#include "messages/model.h"
#include "messages/units.h"
#include "node_agent/engines/first_run.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// What one run was asked to do.
struct RunRequest {
  std::span<const TensorView> inputs; ///< checked against the signature by the caller
  /// When the request was accepted; the default stands for now. Engines that model time begin at the
  /// later of this and their own previous end, so that a late executor thread costs no device time.
  MonotonicTime ready_at{};
  bool switched = false; ///< the device last ran another model (kFifo)
  /// Engines that learn how large their outputs are before they copy them fail with kResourceExhausted beyond that.
  uint64_t max_output_bytes = std::numeric_limits<uint64_t>::max();
  /// Engines that can bound what a run takes of memory, beside the model and the inputs, fail with kResourceExhausted
  /// beyond that.
  uint64_t max_memory_bytes = std::numeric_limits<uint64_t>::max();
  std::stop_token stop; ///< honoured only by engines that can cancel, at their next chance
};

struct RunResult {
  std::vector<Tensor> outputs;
  /// Service attained from the device: the time it would have taken alone. Under time sharing this
  /// is less than the wall time of the run.
  Duration attained_service{};
};

/// A model resident on a device. Run() is called by one thread at a time; different LoadedModels
/// may run at once. Destruction gives the memory back to the operating system.
class LoadedModel {
public:
  virtual ~LoadedModel() = default;
  virtual const ModelSignature& signature() const = 0;
  /// Resident bytes on the device, measured at load where the engine can.
  virtual uint64_t memory_bytes() const = 0;
  /// Whether loading included a run, so that the next one is as fast as any.
  virtual bool is_warm() const { return false; }
  /// That run. No inputs and an ok status: loading included none.
  virtual FirstRun first_run() const { return {}; }
  /// What an operator should know of how it runs here; empty: nothing.
  virtual std::string note() const { return {}; }
  /// Blocks for the service time. Errors: kInvalidArgument (inputs), kCancelled, kInternal.
  virtual Result<RunResult> Run(const RunRequest& request) = 0;
};

struct LoadRequest {
  ModelId model;
  std::filesystem::path file;
  std::vector<GivenInput> inputs = {}; ///< for the first run; those that are missing are invented
};

/// Loads models for one device. Load() may be called from any one thread at a time, while loaded
/// models run on others. A failed load leaves nothing behind. A model that loads but does not run on its first
/// inputs is loaded: clients know better ones.
class Engine {
public:
  virtual ~Engine() = default;
  virtual EngineKind kind() const = 0;
  virtual bool can_cancel() const = 0;
  virtual Result<std::unique_ptr<LoadedModel>> Load(const LoadRequest& request) = 0;
};

struct EngineOptions {
  EngineKind kind = EngineKind::kTflite;
  DeviceKind device_kind = DeviceKind::kCpu;
  Discipline discipline = Discipline::kFifo;
  std::filesystem::path prefix = "/opt/avocet";              ///< engine libraries under lib/
  std::filesystem::path edgetpu_library = "libedgetpu.so.1"; ///< a path, or what the system's loader finds
};

/// The one list of engines. kUnsupported names the missing library and how to install it.
Result<std::unique_ptr<Engine>> MakeEngine(const EngineOptions& options);

} // namespace avocet

#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "messages/device.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// What one request costs on one kind of device.
struct EmulatedCost {
  Duration service{};         ///< mean, (0, 10 min]
  double scv = 0;             ///< of the service time, [0, 25]; gamma distributed, constant when 0
  Duration switch_overhead{}; ///< added under FIFO after another model, [0, 10 min]
  uint64_t memory_bytes = 0;  ///< while loaded, (0, 1 TiB]
  friend bool operator==(const EmulatedCost&, const EmulatedCost&) = default;
};

/// A model of format `emulated`: shapes and costs, no weights. See docs of the format at Parse.
struct EmulatedModel {
  ModelSignature signature;
  std::map<DeviceKind, EmulatedCost> costs; ///< at least one
  friend bool operator==(const EmulatedModel&, const EmulatedModel&) = default;
};

inline constexpr size_t kMaxEmulatedModelFileBytes = 64 * 1024;
inline constexpr size_t kMaxEmulatedTensors = 16; ///< inputs, and outputs
inline constexpr size_t kMaxEmulatedTensorBytes = 32 << 20;

/// Reads a file such as
///
///     description = "..."                      # optional
///     [[input]]
///     name = "input"
///     datatype = "FP32"                        # any of the Open Inference Protocol but BYTES
///     shape = [1, 224, 224, 3]                 # extents >= 1
///     [[output]]
///     name = "scores"
///     datatype = "FP32"
///     shape = [1, 1000]
///     [device.edgetpu]                         # cpu | gpu | edgetpu, at least one
///     service_ms = 6.99
///     scv = 0.0                                # optional, default 0
///     switch_ms = 10.43                        # optional, default 0
///     memory_mb = 100
///     source = "where the numbers come from"   # optional
///
/// kInvalidArgument is "<filename>:<line>: ..." and names the field, what is allowed, and for an
/// unknown key the nearest valid one.
Result<EmulatedModel> ParseEmulatedModel(std::string_view text, std::string_view filename);

} // namespace avocet

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

enum class ModelFormat { kTflite = 1, kOnnx = 2, kEmulated = 3 };
std::string_view ToString(ModelFormat format); ///< "tflite", "onnx", "emulated"
std::optional<ModelFormat> ParseModelFormat(std::string_view text);

/// One file of a model, for the engines that read its format. Content-addressed.
struct Variant {
  ModelFormat format = ModelFormat::kTflite;
  Sha256 file;
  uint64_t size_bytes = 0; ///< 1 .. kMaxModelFileBytes
  friend bool operator==(const Variant&, const Variant&) = default;
};

inline constexpr uint64_t kMaxModelFileBytes = 2048 * kMiB;
inline constexpr size_t kMaxVariants = 3; ///< one per format
/// Longest service time or switch that a profile may state.
inline constexpr Duration kMaxServiceTime = std::chrono::hours(1);
/// Largest memory that a device or a profile may state: 1 PiB, so that sums do not overflow.
inline constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 50;

/// What tenants run: a name, a version and one file per format.
struct Model {
  std::string name;
  std::string version = "1"; ///< decimal digits, as inference clients expect
  std::vector<Variant> variants;
  WallTime imported_at{};

  ModelId id() const { return MakeModelId(name, version); }
  /// The variant of that format, or nullptr.
  const Variant* Find(ModelFormat format) const;
  friend bool operator==(const Model&, const Model&) = default;
};

/// Names, at least one variant, no format twice, digests and sizes well-formed.
Status Validate(const Model& model);

/// What was measured for one model variant on one type of device. No profile, no admission.
struct Profile {
  ModelId model;
  ModelFormat format = ModelFormat::kTflite;
  std::string device_type;    ///< DeviceSpec::type of the device it was measured on; a label
  Duration service_mean{};    ///< > 0; one request alone on the device, no switch
  double service_scv = 0;     ///< squared coefficient of variation of the service time, >= 0
  Duration switch_overhead{}; ///< >= 0; added when the previous request used another model
  uint64_t memory_bytes = 0;  ///< resident on the device while loaded
  /// What every application of the model needs there besides, e.g. its front end.
  uint64_t memory_per_app_bytes = 0;
  uint32_t runs = 0; ///< requests behind service_mean, >= 1
  bool emulated = false;
  WallTime measured_at{};

  /// "<model>|<format>|<device type>".
  std::string key() const;
  friend bool operator==(const Profile&, const Profile&) = default;
};

Status Validate(const Profile& profile);

} // namespace avocet

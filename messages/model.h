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

/// What fills an input that a model is measured with.
enum class SampleFill { kZeros = 1, kOnes = 2, kRandom = 3, kFile = 4 };

/// One input of the runs that measure a model. It says nothing of what clients may send.
struct SampleInput {
  std::string name; ///< of the model's input, as the model has it
  SampleFill fill = SampleFill::kOnes;
  /// Extents >= 0; absent: the model's, an open one as 1, or for a file the one that its size leaves.
  std::optional<std::vector<int64_t>> shape;
  std::string data_type;   ///< the element type that a file says it has ("FP32"); empty: it does not say
  uint64_t seed = 0;       ///< of kRandom
  Sha256 file;             ///< of kFile, content-addressed like a model's: its elements as inference requests have them
  uint64_t size_bytes = 0; ///< of that file, 1 .. kMaxSampleBytes
  friend bool operator==(const SampleInput&, const SampleInput&) = default;
};

Status Validate(const SampleInput& sample);

inline constexpr uint64_t kMaxSampleBytes = 256 * kMiB;
inline constexpr size_t kMaxSamples = 256; ///< of one model, at most one for each input
inline constexpr size_t kMaxSampleRank = 32;
inline constexpr size_t kMaxInputName = 1024; ///< bytes

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
  /// What the model is measured with; inputs that are not named are invented.
  std::vector<SampleInput> samples = {};

  ModelId id() const { return MakeModelId(name, version); }
  /// The variant of that format, or nullptr.
  const Variant* Find(ModelFormat format) const;
  friend bool operator==(const Model&, const Model&) = default;
};

/// Names, at least one variant, no format twice, no sample twice, digests and sizes well-formed.
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

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// A GPU that NVIDIA's driver manages.
struct NvidiaGpu {
  std::string name; ///< "NVIDIA GeForce RTX 3060"
  std::string uuid;
  std::string driver; ///< its version
  uint64_t memory_bytes = 0;
  friend bool operator==(const NvidiaGpu&, const NvidiaGpu&) = default;
};

/// What a GPU is doing. Empty where its board cannot tell.
struct GpuReading {
  std::optional<double> utilization; ///< share of the last moments in which it computed, 0..1
  std::optional<uint64_t> memory_used_bytes;
  std::optional<double> power_w;
  std::optional<double> temperature_c;
  std::optional<bool> is_too_hot; ///< it runs slower to cool down
};

/// NVIDIA's management library, which comes with the driver, loaded at run time. Thread-safe.
class Nvml {
public:
  /// `library` is a path, or a name that the system's loader finds. kNotFound without the library,
  /// kUnavailable with its reason when the driver does not answer.
  static Result<std::shared_ptr<const Nvml>> Open(const std::filesystem::path& library = "libnvidia-ml.so.1");
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  Result<std::vector<NvidiaGpu>> Gpus() const;
  /// Of the GPU with that number in Gpus(); kNotFound beyond.
  Result<GpuReading> Read(unsigned index) const;

private:
  struct Api;
  explicit Nvml(std::unique_ptr<Api> api);
  std::unique_ptr<Api> api_;
};

} // namespace avocet

#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/config/config_files.h"
#include "messages/status.h"

namespace caf {
class actor_system;
}

namespace avocet {

struct LocalClusterOptions {
  DevConfig config;               ///< without devices: cpu0 (real), gpu0 and tpu0 (emulated)
  std::filesystem::path data_dir; ///< controller/ and agent/ below it
  std::filesystem::path prefix;   ///< engines and sample models
};

/// A controller and one agent in this process, connected by local actor handles: `avocet dev`.
class LocalCluster {
public:
  static Result<std::unique_ptr<LocalCluster>> Start(const LocalClusterOptions& options);
  ~LocalCluster();

  std::string control_address() const;
  std::string inference_address() const; ///< gRPC
  std::string rest_address() const;      ///< empty when not served
  std::string metrics_address() const;   ///< empty when not served
  /// False once a root actor ended: the process should end too.
  bool alive() const;
  void Stop();

private:
  struct Impl;
  explicit LocalCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet

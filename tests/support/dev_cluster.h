#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace avocet {

/// `${AVOCET_PREFIX:-/opt/avocet}/share/avocet/models/<file>`.
std::filesystem::path SampleModel(const std::string& file);
/// A file of deploy/models.
std::filesystem::path EmulatedModel(const std::string& file);

/// An application's file, with the keys that tests vary.
struct AppFile {
  std::string name;
  std::string model;
  std::string kind = "gpu"; ///< of the device that it may run on
  double rate_rps = 2;
  double p95_ms = 2000;
};
std::string ToToml(const AppFile& app);

/// The real program: `avocet dev` on a folder of its own, started, killed and started again at will,
/// and the commands that an operator types against it. When a test failed, the end of its log is printed.
///
/// The node is "box"; cpu0 runs TFLite, gpu0 (time-shared) and tpu0 (FIFO) are emulated.
class DevCluster {
public:
  DevCluster();
  ~DevCluster();
  DevCluster(const DevCluster&) = delete;
  DevCluster& operator=(const DevCluster&) = delete;

  /// Starts the program, ends its earlier run if need be, waits until it says where it listens.
  /// Throws std::runtime_error when it does not.
  void Start();
  /// Starts the program and does not wait.
  void Launch();
  /// The running program. Only after Start or Launch.
  Process& process() { return *process_; }
  const std::string& control() const { return control_; }
  const std::string& inference() const { return inference_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path data_dir() const { return folder() / "data"; }
  /// The command line of `avocet dev` on this folder.
  std::vector<std::string> DevCommand() const;

  /// Runs `avocet ARGUMENTS --addr <this cluster>` to its end.
  CommandResult Run(const std::vector<std::string>& arguments) const;
  /// Starts it and does not wait.
  std::unique_ptr<Process> Spawn(const std::vector<std::string>& arguments) const;
  /// What `avocet ARGUMENTS -o json` prints; a failure of the test, and null, unless it exits 0.
  nlohmann::json Json(const std::vector<std::string>& arguments) const;

  std::filesystem::path Write(const std::string& name, const std::string& text) const;
  /// Writes the application's file and returns its path.
  std::filesystem::path Write(const AppFile& app) const;

  /// Until the node has registered and every application serves. False after a minute.
  bool WaitUntilServing() const;

private:
  ProcessOptions Command(const std::vector<std::string>& arguments) const;

  TempDir folder_;
  std::unique_ptr<Process> process_;
  std::string control_;
  std::string inference_;
};

/// Runs `avocet ARGUMENTS` without any cluster.
CommandResult RunAvocet(const std::vector<std::string>& arguments);

/// Generous: a machine may be busy with something else.
inline constexpr std::chrono::seconds kPatience(60);

} // namespace avocet

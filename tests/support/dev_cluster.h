#pragma once

#include "tests/support/operator.h"

namespace avocet {

/// The real program: `avocet dev` on a folder of its own, started, killed and started again at will,
/// and the commands that an operator types against it. When a test failed, the end of its log is printed.
///
/// The node is "box"; cpu0 runs TFLite, gpu0 (time-shared) and tpu0 (FIFO) are emulated.
class DevCluster : public Operator {
public:
  DevCluster();
  ~DevCluster();

  /// Starts the program, ends its earlier run if need be, waits until it says where it listens.
  /// Throws std::runtime_error when it does not.
  void Start();
  /// Starts the program and does not wait.
  void Launch();
  /// The running program. Only after Start or Launch.
  Process& process() { return *process_; }
  const std::string& inference() const { return inference_; }
  const std::string& rest() const { return rest_; }
  const std::string& metrics() const { return metrics_; }
  std::filesystem::path data_dir() const { return folder() / "data"; }
  /// The command line of `avocet dev` on this folder.
  std::vector<std::string> DevCommand() const;

private:
  std::unique_ptr<Process> process_;
  std::string inference_;
  std::string rest_;
  std::string metrics_;
};

} // namespace avocet

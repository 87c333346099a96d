#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/process/child_process.h"
#include "messages/ids.h"
#include "messages/status.h"

namespace avocet {

/// The demo's cluster: one controller and three agents, each a process of its own on loopback, below one folder.
/// The agent cpu-1 has a real device, jetson-1 and coral-1 have emulated ones. The processes end with this object,
/// and also when this process is killed.
class DemoCluster {
public:
  /// Starts all and waits until each is ready; kInternal with the end of the log of one that fails.
  static Result<std::unique_ptr<DemoCluster>> Start(const std::filesystem::path& folder);
  /// Stop.
  ~DemoCluster();

  const std::string& control() const { return control_; }
  /// Where each node answers inference requests.
  const std::map<NodeId, std::string>& inference() const { return inference_; }
  /// Whether all of them still run.
  bool alive() const;
  /// The agents in order, then the controller.
  void Stop();

private:
  explicit DemoCluster(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// Starts a process and returns the address under `key` in the line that it prints when it is ready.
  Result<std::string> Launch(const std::vector<std::string>& arguments, const std::string& name,
                             const std::string& key);
  Status StartController();
  Status StartAgent(const std::string& name, const std::string& device);

  std::filesystem::path folder_;
  std::string control_;
  std::map<NodeId, std::string> inference_;
  std::vector<std::unique_ptr<ChildProcess>> processes_; ///< the controller first
};

} // namespace avocet

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cluster/request_history.h"
#include "tests/support/failing_disk.h"
#include "tests/support/process_cluster.h"

namespace avocet {

/// What came of one schedule.
struct FaultVerdict {
  uint64_t seed = 0;
  std::vector<std::string> faults;     ///< in order
  std::vector<std::string> violations; ///< of what is promised; empty: all was kept
  size_t applies = 0, removals = 0;    ///< acknowledged

  bool ok() const { return violations.empty(); }
};
nlohmann::json ToJson(const FaultVerdict& verdict);
/// One line.
std::ostream& operator<<(std::ostream& out, const FaultVerdict& verdict);

/// A controller and two agents with emulated devices, and two operators who apply, move and remove the same
/// applications at the same time while processes are killed, paused and stopped, and disks are full or slow, all drawn
/// from a seed. When everything is healed and quiet, what is promised is checked.
class FaultyCluster {
public:
  /// Starts everything. Throws std::runtime_error when that fails.
  FaultyCluster();

  /// One schedule after the other, with the same processes and data. Ends with no application.
  FaultVerdict Run(uint64_t seed);

private:
  using Random = std::mt19937_64;

  void Import(const std::string& version);
  void Operate(uint64_t seed, const std::atomic<bool>& stop);
  void Apply(Random& random, const std::string& app);
  void Remove(const std::string& app);
  void End(size_t request, const CommandResult& result, bool refused);
  std::string Disturb(Random& random);
  void RestartUnlessRunning(const std::string& name);
  Process& ProcessOf(const std::string& name);

  /// Every promise that is not kept now; those that may not be broken for a moment go to `broken_`.
  std::vector<std::string> Check();
  void CheckApp(const std::string& app, const nlohmann::json& list, std::vector<std::string>& wrong);
  void CheckServing(const std::string& app, const nlohmann::json& row, std::vector<std::string>& wrong);
  void CheckEvents(std::vector<std::string>& wrong);
  void CheckLoaded(const nlohmann::json& list, std::vector<std::string>& wrong);
  void CheckUntilQuiet(FaultVerdict& verdict);
  void RemoveAll(FaultVerdict& verdict);
  nlohmann::json Ask(const std::vector<std::string>& arguments);

  RequestHistory history_;
  std::vector<std::string> broken_;
  std::atomic<size_t> files_ = 0;
  ProcessCluster cluster_;
  std::map<std::string, FailingDisk> disks_; ///< of each process
};

} // namespace avocet

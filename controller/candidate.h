#pragma once

#include <optional>
#include <vector>

#include "controller/decide.h"
#include "controller/device_load.h"

namespace avocet {

/// What is asked: one application, with what was resolved of it. Borrows all of it.
struct Question {
  const ClusterView& view;
  const Application& request;
  const Policy& policy;
  const Model* model = nullptr; ///< nullptr: not imported
  double rate_rps = 0;          ///< admission rate of the newcomer
  const ResidentIndex& residents;
};

/// A solved device: its applications (without what is unknown of) and their response times on it, at the
/// pessimistic end of what was measured (AtUpperEnd).
struct SolvedDevice {
  DeviceLoad load;
  DeviceResponse response;
};
SolvedDevice SolveDevice(DeviceLoad load);

/// How pre-processing on a node's cores adds to response times: M/G/c processor sharing, mean.
struct Preprocessing {
  int cores = 1;
  double busy = 0; ///< offered load, in cores

  double share() const { return busy / cores; }
  /// Mean time of `work` under this load; nullopt where the cores cannot keep up.
  std::optional<double> Delay(Duration work) const;
};

/// One device with the newcomer on it: all that the filters look at. Built once for a device, then
/// only SetRate changes it.
class Candidate {
public:
  Candidate(const Question& question, const DeviceView& device);

  const Question& question() const { return question_; }
  const DeviceView& device() const { return device_; }
  const Profile* profile() const { return profile_; }
  ModelFormat format() const { return FormatOf(device_.spec.engine); }
  uint64_t memory_before() const { return memory_before_; }
  uint64_t memory_after() const { return memory_after_; }
  const SolvedDevice& before() const { return before_; }
  /// With the newcomer. Equals before() where nothing is known of its model on the device.
  const SolvedDevice& after() const { return after_; }
  bool knows_newcomer() const { return newcomer_.has_value(); }
  const Preprocessing& preprocessing_before() const { return preprocessing_before_; }
  const Preprocessing& preprocessing() const { return preprocessing_; }

  /// The node's other devices, where the newcomer's pre-processing slows applications down.
  const std::vector<SolvedDevice>& neighbours() const { return neighbours_; }

  const Application& AppOf(const AppLoad& load) const;

  /// Answers for another rate of the newcomer.
  void SetRate(double rate_rps);
  /// An objective on the device is so near to its limit that the fast model cannot tell.
  bool IsUnsure() const;
  /// Lets a simulation answer for after() and before(), until the next SetRate.
  void Simulate();

private:
  void SolveNeighbours();
  bool IsUnsureOf(size_t index) const;

  const Question& question_;
  const DeviceView& device_;
  const Profile* profile_ = nullptr;
  uint64_t memory_before_ = 0;
  uint64_t memory_after_ = 0;
  std::optional<AppLoad> newcomer_;
  SolvedDevice before_;
  SolvedDevice after_;
  Preprocessing preprocessing_before_;
  Preprocessing preprocessing_;
  std::vector<SolvedDevice> neighbours_;
};

/// The statistic's limit for an application: tolerance x (objective - network allowance).
Duration LimitOf(const Application& app, const Policy& policy);

/// The predicted statistic of application `index`, pre-processing included; nullopt where unstable.
std::optional<Duration> PredictedLatency(const SolvedDevice& solved, size_t index, const Application& app,
                                         const Preprocessing& preprocessing);

/// PredictedLatency <= LimitOf, without finding the former.
bool MeetsObjective(const SolvedDevice& solved, size_t index, const Application& app,
                    const Preprocessing& preprocessing, const Policy& policy);

} // namespace avocet

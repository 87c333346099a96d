#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "controller/placement/decide.h"
#include "controller/placement/prediction_cache.h"
#include "controller/placement/tenancy.h"

namespace avocet {

/// What is asked: a place for one application in a cluster as it is occupied. Borrows all of it.
struct Question {
  const ClusterView& view;
  const Policy& policy;
  const Occupancy& occupancy;
  PredictionCache& cache;
  Newcomer newcomer;
};

using SharedAssessment = std::shared_ptr<const Assessment>;

/// The tenancy's assessment, from the cache.
SharedAssessment AssessmentOf(const Tenancy& tenancy, PredictionCache& cache);

/// The same with one more.
SharedAssessment AssessmentWith(const Tenancy& tenancy, const Demand& demand, PredictionCache& cache);

/// With exact latencies, as far as the models have them.
SharedAssessment ExactAssessmentOf(const Tenancy& tenancy, PredictionCache& cache);

/// The content that an assessment depends on: of the tenancy, or of it with one more.
ContentKey PredictionKey(const Tenancy& tenancy);
ContentKey PredictionKey(const Tenancy& tenancy, const Demand& demand);

/// One device with the newcomer on it: all that the filters look at. Answers are found when they are asked for.
class Candidate {
public:
  Candidate(const Question& question, size_t device);

  const Question& question() const { return question_; }
  const Application& request() const { return *question_.newcomer.app; }
  const DeviceView& device() const { return *before_.device; }
  ModelFormat format() const { return FormatOf(device().spec.engine); }
  /// What the newcomer brings; nullopt where nothing is known of its model on the device.
  const std::optional<Demand>& demand() const { return demand_; }
  const Tenancy& before() const { return before_; }
  /// With the newcomer, as the last one. Equals before() where nothing is known of it. Made when it is asked for: most
  /// of what is asked, the cache or the numbers below can tell.
  const Tenancy& after() const;
  uint64_t memory_after() const;
  Preprocessing preprocessing_after() const;
  /// As after().tenants.
  const Tenant& tenant(size_t i) const;
  const Assessment& assessed_before() const;
  const Assessment& assessed_after() const;

  /// One of the node's other devices, where the newcomer's pre-processing slows applications down.
  struct Neighbour {
    Tenancy after;
    SharedAssessment assessed;
  };
  const std::vector<Neighbour>& neighbours() const;

  /// Answers for another rate of the newcomer, if it is known, without latencies to show.
  void SetRate(double rate_rps);
  /// A goal on the device is so near to its limit that the fast model cannot tell.
  bool IsUnsure() const { return assessed_after().AnyUnsure(); }
  /// Lets a simulation answer for after() and before(), until the next SetRate.
  void Simulate();
  /// Lets the exact models answer for after() and before(), until the next SetRate.
  void ShowExactly();

private:
  const Question& question_;
  size_t index_;
  std::optional<Demand> demand_;
  const Tenancy& before_;
  mutable std::optional<Tenancy> after_;
  bool at_another_rate_ = false;
  mutable SharedAssessment assessed_before_;
  mutable SharedAssessment assessed_after_;
  mutable std::optional<std::vector<Neighbour>> neighbours_;
};

} // namespace avocet

#pragma once

#include <optional>
#include <vector>

#include "controller/queueing/fifo_model.h"
#include "controller/queueing/gamma_mixture.h"
#include "controller/queueing/latency_model.h"
#include "controller/queueing/service_classes.h"

namespace avocet {

/// One executor per loaded model, each first come first served, the device shared equally by the busy
/// ones: coupled queues (limited processor sharing). With one model it is M/G/1: its mean is exact, its percentiles are
/// those of FifoModel::Approximate.
///
/// No closed form is known for more than two models (G. Fayolle, R. Iasnogorodski, Z. Wahrsch. 47, 1979;
/// J. W. Cohen, O. J. Boxma, 1983). Used here: the probability u_i that executor i is busy, between a
/// mean-field value and the fixed point of r_i = u_i E[1/(1 + busy others)]; waits proportional to
/// s_i (1 + scv_i) u_i/(1-u_i)^0.75, scaled so that the total work is that of M/G/1, which is exact
/// (work conservation). Variance for the percentiles: a fit with seven constants, found by
/// simulation of random mixes of constant service times. An approximation: errors in docs/MODELS.md. Where
/// it is not sure, Refine (latency_model.h) lets a simulation answer.
/// Assumes Poisson arrivals; burstier ones stretch the wait by BurstinessShare.
class TimeSharedModel {
public:
  /// Requires Utilization(load) < 1.
  explicit TimeSharedModel(const DeviceLoad& load);

  double Mean(size_t app) const;
  GammaMixture Approximate(size_t app) const;

private:
  struct Executor {
    double rate_rps = 0;
    double load = 0;      ///< r_i, rate x mean service
    ServicePart service;  ///< mean and SCV over the model's applications
    double busy = 0;      ///< u_i
    double slow_down = 1; ///< phi_i = u_i / r_i
    double wait_s = 0;    ///< mean time in the executor's queue
  };

  void SolveBusy();
  void SolveWaits();
  GammaMixture OfPart(size_t executor, const ServicePart& part) const;
  double SharingVariance(size_t executor) const;
  double DelayVariance(size_t executor) const;

  std::vector<Executor> executors_;
  std::vector<size_t> executor_of_; ///< by application
  std::vector<ServiceTime> services_;
  std::optional<FifoModel> single_; ///< where there is one model only
  double total_rate_ = 0;
  double rho_ = 0;
};

} // namespace avocet

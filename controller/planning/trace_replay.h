#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/queueing/latency_model.h"
#include "messages/measurement.h"

namespace avocet {

/// A request that a FIFO device served, as its client saw it. Seconds, from any origin.
struct TraceRequest {
  size_t model = 0; ///< position in TraceRun::models
  double start_s = 0;
  double end_s = 0; ///< >= start_s
};

/// A stretch of time with constant nominal rates.
struct TraceRun {
  std::string name;
  std::vector<std::string> models;
  std::vector<double> nominal_rps; ///< by model, > 0
  std::vector<TraceRequest> requests;
};

/// What a device needs for a model, fitted on a run. Seconds.
struct TraceModel {
  std::string name;
  double service_s = 0; ///< of the device, without switch
  double service_scv = 0;
  double switch_s = 0;
  /// After the device is free again: the client still waits, the next request does not.
  double tail_s = 0;
};

/// Fits one run: requests in order of completion, each served from when the one before it left the
/// device or from its own start, whichever is later, until its end. The tail of a model is how much longer its
/// requests take on an idle device than directly after one of their own kind. Service times go through a
/// DeviceEstimator, the one that live devices use, as one window of measurements.
/// `with_tails` false takes all of it for service. Models without a request are left out.
std::vector<TraceModel> FitTrace(const TraceRun& run, bool with_tails = true);

/// Response times of one model in one run. Seconds; empty where there is no steady state, or no percentile.
struct TraceTimes {
  std::optional<double> mean_s, p95_s, p99_s;
};

struct TraceRow {
  std::string run;
  std::string model;
  size_t requests = 0;
  bool fitted = false; ///< of the run that the models were fitted on
  TraceTimes observed;
  TraceTimes trace_driven; ///< the queue played with the true arrivals
  TraceTimes analytic;     ///< the FIFO model with the nominal rates
  TraceTimes paper;        ///< the paper's formula with the nominal rates: the mean
  TraceTimes noise;        ///< expected relative error of a perfect model, from so many requests
};

/// Mean relative errors over rows, those of the fitted run left out; empty without any.
struct TraceErrors {
  std::optional<double> mean, p95, p99;
};

struct TraceReport {
  std::string fitted_run;
  std::vector<TraceModel> models;
  std::vector<TraceRow> rows;
  TraceErrors trace_driven, analytic, paper, noise_floor;
};

/// Predicts every run from the models fitted on `runs[fit]`. `replications`: simulated runs per run that
/// the noise floor rests on. Pure and deterministic. A model that the fitted run does not know is left out of
/// the other runs' predictions, together with the predictions of its run.
TraceReport ReplayTrace(const std::vector<TraceRun>& runs, size_t fit, int replications = 200);

} // namespace avocet

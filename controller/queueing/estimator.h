#pragma once

#include <map>

#include "messages/measurement.h"
#include "messages/units.h"

namespace avocet {

/// How fast old measurements are forgotten, and what counts as news.
struct EstimatorOptions {
  double half_life_windows = 150;   ///< 30 s of 200 ms windows; > 0
  double significant_change = 0.05; ///< relative change of a rate or service time; (0, 1)
};

Status Validate(const EstimatorOptions& options);

/// Turns measurement windows of one device into fitted parameters. Exponentially forgetting;
/// ignores windows that it has already seen. Not thread-safe. Pure: no clock.
///
/// Rates forget with every window, so an application without arrivals fades; service times forget with
/// every window in which the model was used, so an idle model keeps what is known of it.
/// A new boot id starts a new sequence; what was learnt before stays.
///
/// A fit lists at most kMaxAppsPerDevice applications and as many models, in order of when a window last listed them.
/// Beyond that it forgets the first: a window lists all that is open on the device, also when idle, so residents stay.
class DeviceEstimator {
public:
  explicit DeviceEstimator(DeviceId device, EstimatorOptions options = {});
  /// Continues from a persisted fit.
  explicit DeviceEstimator(DeviceFit fit, EstimatorOptions options = {});

  /// False when the window is a duplicate, out of order within its boot, or of another device.
  /// Requires Validate(window).ok().
  bool Observe(const MeasurementWindow& window);

  const DeviceFit& fit() const { return fit_; }

  /// True once per significant move of the fit since the last call that returned true: of a mean, or of how much it
  /// rests on, by which it is trusted and bounded (twice as much).
  bool TakeSignificantChange();

  /// Drops what is known of an application that left the device (its model's fit stays).
  void Forget(const AppId& app);

private:
  /// Faded sums behind a rate. A fit holds all but `seconds`, which its mean gives back.
  struct Arrivals {
    double count = 0;
    double seconds = 0;
    double gaps = 0; ///< inter-arrival times: number, sum, sum of squares
    double gap_sum = 0;
    double gap_sum2 = 0;
  };

  void TakeArrivals(const MeasurementWindow& window);
  void TakeServices(const MeasurementWindow& window);
  void ForgetLongUnseen(const MeasurementWindow& window);
  double Retained() const; ///< of a weight, after one window

  DeviceFit fit_;
  DeviceFit announced_;
  EstimatorOptions options_;
  std::map<AppId, Arrivals> arrivals_;
};

/// Upper 95 % confidence bound (one-sided) of a rate that rests on `weight` Poisson events: the
/// Wilson-Hilferty approximation of the exact bound, within 1 % of it from 2 events on. 0 for a rate of 0.
double UpperRateBound(const Estimate& rate);

} // namespace avocet

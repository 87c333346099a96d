#pragma once

#include <optional>
#include <span>
#include <vector>

#include "controller/queueing/fifo_classes.h"
#include "controller/queueing/gamma_mixture.h"
#include "controller/queueing/latency_model.h"
#include "controller/queueing/root_finding.h"

namespace avocet {

/// The mean wait lies between these.
struct WaitBounds {
  double least_s = 0;
  double most_s = 0;
};
/// For a fraction of what solving costs: the mean wait is linear in the idle probabilities of FifoModel, which are not
/// negative and sum to 1 - rho. Requires Poisson arrivals and a utilization below 1.
WaitBounds MeanWaitBounds(const ShortList<FifoClass>& classes);

/// One executor, first come first served, that needs switch_s more whenever the previous request used
/// another model: an M/SM/1 queue.
///
/// Source: M. F. Neuts, "The single server queue with Poisson input and semi-Markov service times"
/// (J. Appl. Prob. 3, 1966); I. Adan, V. Kulkarni, "Single-server queue with Markov-dependent
/// inter-arrival and service times" (Queueing Systems 45, 2003). The switch costs a rank-one term,
/// which leaves one scalar root per class and one between two neighbours. With no switches it is
/// M/G/1 (Pollaczek-Khinchine).
/// Assumes: Poisson arrivals, so the previous request is of class j with probability p_j; switch times
/// that depend on the current model only; service times as in ServiceTime, mixtures included; a constant tail_s.
/// Arrivals burstier than Poisson stretch the wait by BurstinessShare (not exact).
/// Mean: exact (1e-6 against published reference vectors). Percentiles: Cdf() and Quantile() are exact by
/// numerical inversion; Approximate() takes a gamma for the wait given that there is one and which class went
/// before, from the exact first two moments. Errors and costs: docs/MODELS.md.
///
/// To ask much of one device, solve it once and ask for all probabilities in one call of Cdf: several are
/// inverted side by side. Up to eight classes with one service time each, solving allocates no memory.
/// Immutable once built; the cost of solving grows with the number of classes squared, that of a probability with
/// the number of classes.
class FifoModel {
public:
  /// Requires OfferedLoad < 1 (see Utilization).
  explicit FifoModel(const DeviceLoad& load, Instructions instructions = BestInstructions());

  double MeanWait() const { return stretch_ * wait_; }
  double Mean(size_t app) const;
  /// P(response > t) for certain at most / at least that, from the exact first two moments alone: Cantelli's and
  /// Paley and Zygmund's inequalities. A few nanoseconds.
  struct Bounds {
    double least = 0;
    double most = 1;
  };
  Bounds SurvivalBounds(size_t app, double t) const;
  /// Response time with a gamma for the wait; fast.
  GammaMixture Approximate(size_t app) const;
  /// P(response <= t) and the smallest t with P >= p, by inversion: 50 evaluations of the transform
  /// for each of two terms. Within 0.01 % in t on the reference vectors. The approximation where
  /// IsExact() is false.
  double Cdf(size_t app, double t) const;
  double Quantile(size_t app, double p) const;
  /// Cdf for each of the limits; answers.size() == limits.size().
  void Cdf(std::span<const ResponseLimit> limits, std::span<double> answers) const;
  /// False for bursty arrivals, and so close to saturation that the inversion loses its digits.
  bool IsExact() const;
  const ShortList<double>& idle() const { return idle_; }

private:
  struct ClassWait {   ///< of the wait while the previous request was of the class
    double first = 0;  ///< E[W; previous = class]
    double second = 0; ///< E[W^2; previous = class]
  };
  struct App {
    size_t class_index = 0;
    ServiceTime service;
    double switch_s = 0;
    double tail_s = 0;
  };

  void SolveMoments();
  /// The constant response time that is the p-quantile, if one is; the quantile lies between `times`, which narrow.
  std::optional<double> AtomIn(size_t app, Bracket& times, double p) const;
  void InvertedCdf(std::span<const ResponseLimit> limits, std::span<double> answers) const;

  ShortList<FifoClass> classes_;
  ShortList<App> apps_;
  ShortList<double> idle_;     ///< c_i
  ShortList<ClassWait> waits_; ///< by class
  double total_rate_ = 0;
  double rho_ = 0;
  double wait_ = 0;         ///< E[W]
  double wait_squared_ = 0; ///< E[W^2]
  double stretch_ = 1;      ///< >= 1, for arrivals burstier than Poisson
  Instructions instructions_;
};

} // namespace avocet

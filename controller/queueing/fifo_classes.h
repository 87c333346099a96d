#pragma once

#include <cstddef>
#include <span>

#include <boost/container/small_vector.hpp>

#include "controller/queueing/lanes.h"
#include "controller/queueing/latency_model.h"
#include "controller/queueing/service_time.h"

namespace avocet {

/// A list that needs no memory of its own while it is as short as it is on most devices.
template <class T> using ShortList = boost::container::small_vector<T, 8>;

/// A component of a class's service time: applications that share a model need not take equally long, and
/// each one's service may be a mixture.
struct FifoPart {
  double weight = 0; ///< share of the class's requests
  double mean_s = 0;
  double scv = 0;
  double switch_s = 0;
};

/// A class of a FIFO device with switches: the applications of one model.
struct FifoClass {
  double rate_rps = 0;
  double share = 0;    ///< of the device's requests
  RawMoments plain;    ///< service after a request of the same class
  RawMoments switched; ///< service after a request of another class
  boost::container::small_vector<FifoPart, 1> parts;

  /// docs/models/fifo.md, eq. (F1), as mean_s.
  double overhead_s() const { return switched.first - plain.first; }
  /// Mean service, switches included: the previous request is of another class with 1 - share.
  double mean_s() const { return plain.first + (1 - share) * overhead_s(); }
};

/// Which applications share a model, and with it a class.
struct ModelGroups {
  ShortList<size_t> group_of; ///< by application; groups are numbered in order of model
  size_t count = 0;
};
ModelGroups GroupByModel(const DeviceLoad& load);

/// In order of model. A single class never switches, so its switch time counts as 0.
ShortList<FifoClass> FifoClassesOf(const DeviceLoad& load, const ModelGroups& groups);

double TotalRate(const ShortList<FifoClass>& classes);
/// sum of rate times mean service, switches included.
double OfferedLoad(const ShortList<FifoClass>& classes);

/// c_i = P(an arrival finds the device idle and class i was served last), step 1 to 3 of the M/SM/1
/// solution (see fifo_model.h), into `c`, by class. Non-negative; they sum to 1 - rho. Requires rho < 1.
void IdleProbabilities(const ShortList<FifoClass>& classes, Instructions instructions, std::span<double> c);

} // namespace avocet

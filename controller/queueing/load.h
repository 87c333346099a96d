#pragma once

#include <vector>

#include "controller/queueing/service_time.h"
#include "messages/device.h"
#include "messages/ids.h"

namespace avocet {

/// One application's load on a device. Applications with equal `model` share a loaded model: one
/// executor under kTimeShared, no switch between them under kFifo.
struct AppLoad {
  AppId app;
  ModelId model;
  double rate_rps = 0;    ///< > 0
  double arrival_scv = 1; ///< of the inter-arrival time; 1 is Poisson
  ServiceTime service;    ///< without switch
  double switch_s = 0;    ///< >= 0, kFifo only: added when the previous request used another model
  double tail_s = 0;      ///< >= 0, kFifo only: the client still waits when the device is free for the next
  // What the numbers rest on. The models take them as they are; see AtUpperEnd (uncertainty.h).
  double rate_observations = 0; ///< arrivals behind rate_rps; 0: it is taken as certain
  double switch_error_s = 0;    ///< standard error of switch_s
};

/// A device as the models see it.
struct DeviceLoad {
  Discipline discipline = Discipline::kFifo;
  int cores = 1; ///< kMultiServer only
  std::vector<AppLoad> apps;
};

} // namespace avocet

#include "controller/queueing/uncertainty.h"

#include <utility>

#include "controller/queueing/estimator.h"

namespace avocet {

AppLoad AtUpperEnd(AppLoad app) {
  if (app.rate_observations > 0)
    app.rate_rps = UpperRateBound({.mean = app.rate_rps, .scv = 1, .weight = app.rate_observations});
  app.rate_observations = 0;
  if (app.service.observations > 0) app.service = AtUpperEnd(app.service);
  app.switch_s += kZ95 * app.switch_error_s;
  app.switch_error_s = 0;
  return app;
}

DeviceLoad AtUpperEnd(DeviceLoad load) {
  for (auto& app : load.apps)
    app = AtUpperEnd(std::move(app));
  return load;
}

} // namespace avocet

#pragma once

#include <string>
#include <vector>

#include "controller/queueing/latency_model.h"

namespace avocet {

struct LoadRow {
  double rate_rps = 1;
  double service_s = 0.01;
  double scv = 0;
  double switch_s = 0;
  std::string model = ""; ///< empty: an own model
};

/// A load with applications a00, a01, ... in the given order.
inline DeviceLoad MakeLoad(Discipline discipline, const std::vector<LoadRow>& rows, int cores = 1) {
  DeviceLoad load{.discipline = discipline, .cores = cores, .apps = {}};
  for (const auto& row : rows) {
    const std::string number = (load.apps.size() < 10 ? "0" : "") + std::to_string(load.apps.size());
    load.apps.push_back({.app = AppId("a" + number),
                         .model = MakeModelId(row.model.empty() ? "m" + number : row.model, "1"),
                         .rate_rps = row.rate_rps,
                         .service = {row.service_s, row.scv},
                         .switch_s = row.switch_s});
  }
  return load;
}

} // namespace avocet

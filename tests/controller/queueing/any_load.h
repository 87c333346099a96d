#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <rapidcheck.h>

#include "controller/queueing/latency_model.h"
#include "tests/controller/queueing/load_builder.h"

namespace avocet {

// Generators for properties; call them inside one only.

/// Log-uniform.
inline double Between(double low, double high) {
  const double unit = *rc::gen::inRange(0, 1000001) / 1e6;
  return low * std::pow(high / low, unit);
}

inline Discipline AnyDiscipline() {
  return *rc::gen::element(Discipline::kFifo, Discipline::kTimeShared, Discipline::kProcessorSharing,
                           Discipline::kMultiServer);
}

inline void ScaleRates(DeviceLoad& load, double factor) {
  for (auto& app : load.apps)
    app.rate_rps *= factor;
}

struct Shape {
  bool switches = false;
  bool constant = false;
};

/// 1 to 8 models with total utilization up to 0.97.
inline DeviceLoad AnyLoad(Discipline discipline, Shape shape) {
  const int models = *rc::gen::inRange(1, 9);
  std::vector<LoadRow> rows;
  for (int i = 0; i < models; ++i) {
    const double service = Between(1e-3, 0.3), scv = shape.constant ? 0 : *rc::gen::element(0.0, 0.2, 1.0, 3.0);
    const double switch_s = shape.switches && *rc::gen::arbitrary<bool>() ? Between(1e-3, 0.1) : 0;
    rows.push_back({Between(0.05, 20), service, scv, switch_s});
  }
  auto load = MakeLoad(discipline, rows, *rc::gen::inRange(1, 9));
  ScaleRates(load, Between(0.05, 0.97) / Utilization(load));
  return load;
}

inline bool IsClose(double a, double b, double relative) {
  return std::abs(a - b) <= relative * std::max(std::abs(a), std::abs(b));
}

} // namespace avocet

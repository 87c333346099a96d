#pragma once

#include <string>

#include <rapidcheck.h>

#include "tests/support/view_builder.h"

namespace avocet {

// Generators of small clusters for properties; call them inside one only.

inline double Number(int low, int high) {
  return *rc::gen::inRange(low, high + 1);
}

inline DeviceOptions AnyDevice() {
  DeviceOptions device;
  device.kind = *rc::gen::element(DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu);
  device.discipline = *rc::gen::element(Discipline::kFifo, Discipline::kTimeShared);
  device.type = *rc::gen::element<std::string>("fast", "slow");
  device.memory_mib = *rc::gen::inRange<uint64_t>(100, 1500);
  device.health = *rc::gen::weightedElement<DeviceHealth>(
      {{8, DeviceHealth::kHealthy}, {1, DeviceHealth::kAway}, {1, DeviceHealth::kDraining}});
  return device;
}

inline Application AnyApp(const std::string& name) {
  AppOptions options;
  options.rate_rps = Number(1, 40) / 2;
  options.statistic = *rc::gen::element(Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99);
  options.latency_ms = Number(20, 800);
  options.network_allowance_ms = Number(0, 10);
  options.preprocess_ms = *rc::gen::weightedElement<double>({{3, 0.0}, {1, 15.0}});
  if (*rc::gen::inRange(0, 4) == 0) options.device_kinds = {DeviceKind::kGpu};
  return MakeApp(name, *rc::gen::element<std::string>("m0", "m1", "m2", "m3"), options);
}

/// 1 to 5 devices on 2 nodes with up to 8 residents; residents need not meet their objectives.
inline ClusterView AnyView() {
  ViewBuilder builder;
  for (int m = 0; m < 4; ++m) {
    const std::string id = "m" + std::to_string(m) + ":1";
    builder.ModelWithoutProfile(id);
    for (const std::string type : {"fast", "slow"}) {
      if (*rc::gen::inRange(0, 8) == 0) continue;
      builder.Profile(id, {.device_type = type,
                           .service_ms = Number(2, 60),
                           .scv = *rc::gen::element(0.0, 0.2, 1.0),
                           .switch_ms = Number(0, 20),
                           .memory_mib = *rc::gen::inRange<uint64_t>(10, 400)});
    }
  }
  const int devices = *rc::gen::inRange(1, 6), residents = *rc::gen::inRange(0, 9);
  const auto device = [](int i) { return "n" + std::to_string(i % 2) + "/d" + std::to_string(i); };
  for (int i = 0; i < devices; ++i)
    builder.Device(device(i), AnyDevice());
  for (int i = 0; i < residents; ++i) {
    builder.Resident(AnyApp("r" + std::to_string(i)), device(*rc::gen::inRange(0, devices)));
  }
  return builder.Build();
}

} // namespace avocet

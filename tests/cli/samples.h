#pragma once

#include "messages/placement.h"
#include "messages/reports.h"

namespace avocet {

// Small values that the rendering tests share.

inline Application SampleApp() {
  Application app;
  app.name = AppId("doorcam");
  app.model = "face";
  app.rate_rps = 12;
  app.objective = {Statistic::kP95, std::chrono::milliseconds(50)};
  return app;
}

inline DeviceSpec SampleDevice() {
  DeviceSpec device;
  device.node = NodeId("edge");
  device.name = "gpu0";
  device.kind = DeviceKind::kGpu;
  device.discipline = Discipline::kTimeShared;
  device.engine = EngineKind::kEmulated;
  device.type = "gpu/emulated";
  device.memory_bytes = 3964 * kMiB;
  return device;
}

inline AppStatus SampleStatus() {
  AppStatus status;
  status.app = SampleApp();
  status.placement = Placement{.app = AppId("doorcam"),
                               .device = DeviceId("edge/gpu0"),
                               .model = ModelId("face:1"),
                               .format = ModelFormat::kEmulated,
                               .epoch = 7,
                               .phase = PlacementPhase::kReady};
  status.emulated = true;
  status.utilization = 0.25;
  status.predicted = LatencySummary{FromMillis(10), FromMillis(8), FromMillis(20), FromMillis(30)};
  return status;
}

/// Two devices say no, each to another filter.
inline Decision SampleRejection() {
  Decision decision;
  decision.app = SampleApp();
  decision.model = ModelId("face:1");
  decision.view_version = 42;
  decision.max_rate_rps = 6.1099;
  Verdict gpu;
  gpu.device = DeviceId("edge/gpu0");
  gpu.node = NodeId("edge");
  gpu.emulated = true;
  gpu.filter = FilterKind::kObjectives;
  gpu.needed = 45;
  gpu.found = 71.26;
  gpu.unit = Unit::kMilliseconds;
  gpu.detail = "p95 of doorcam would be 71.26 ms";
  gpu.utilization_before = 0.5;
  gpu.utilization_after = 0.75;
  gpu.memory_before_bytes = 10 * kMiB;
  gpu.memory_after_bytes = 14 * kMiB;
  gpu.memory_capacity_bytes = 3964 * kMiB;
  gpu.max_rate_rps = 6.1099;
  gpu.apps = {{AppId("doorcam"), Statistic::kP95, FromMillis(50), std::nullopt, FromMillis(71.26)},
              {AppId("gate"), Statistic::kMean, FromMillis(100), FromMillis(20), FromMillis(35)}};
  Verdict tpu;
  tpu.device = DeviceId("edge/tpu0");
  tpu.node = NodeId("edge");
  tpu.filter = FilterKind::kHealthy;
  tpu.unit = Unit::kState;
  tpu.detail = "the node is away";
  decision.verdicts = {gpu, tpu};
  return decision;
}

inline Decision SampleAdmission() {
  Decision decision = SampleRejection();
  decision.kind = DecisionKind::kAdmit;
  decision.device = DeviceId("edge/gpu0");
  Verdict& gpu = decision.verdicts[0];
  gpu.ok = true;
  gpu.filter.reset();
  gpu.unit = Unit::kNone;
  gpu.detail.clear();
  gpu.needed = gpu.found = 0;
  gpu.apps[0].after = FromMillis(31);
  return decision;
}

} // namespace avocet

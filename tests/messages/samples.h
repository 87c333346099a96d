#pragma once

#include "messages/codec/codec.h"

namespace avocet {

/// Small valid values that the tests change one field of.
inline const Sha256 kDigest{std::string(64, 'a')};

inline Model SampleModel() {
  return {.name = "pose", .version = "1", .variants = {{ModelFormat::kTflite, kDigest, 100}}, .imported_at = {}};
}

inline Profile SampleProfile() {
  Profile profile;
  profile.model = ModelId("pose:1");
  profile.device_type = "cpu tflite Xeon 1 core";
  profile.service_mean = std::chrono::milliseconds(5);
  profile.runs = 20;
  return profile;
}

inline Application SampleApplication() {
  Application app;
  app.name = AppId("door");
  app.model = "pose";
  app.rate_rps = 12;
  app.objective = {Statistic::kP95, std::chrono::milliseconds(50)};
  return app;
}

inline DeviceSpec SampleDevice(std::string name = "gpu0") {
  DeviceSpec device;
  device.node = NodeId("jetson-1");
  device.name = std::move(name);
  device.type = "gpu/emulated";
  device.memory_bytes = 3964 * kMiB;
  return device;
}

inline NodeInfo SampleNode() {
  return {.id = NodeId("jetson-1"),
          .boot = BootId("b1"),
          .version = "0.1.0",
          .grpc_address = "127.0.0.1:8001",
          .rest_address = "127.0.0.1:8000",
          .cpu_cores = 4,
          .devices = {SampleDevice("cpu0"), SampleDevice("gpu0")}};
}

inline AppWindow SampleAppWindow(std::string name) {
  AppWindow window;
  window.app = AppId(std::move(name));
  window.model = ModelId("pose:1");
  window.response.Add(0.01);
  window.response_sketch.Add(std::chrono::milliseconds(10));
  return window;
}

inline MeasurementWindow SampleWindow() {
  return {.device = DeviceId("jetson-1/gpu0"),
          .boot = BootId("b1"),
          .sequence = 1,
          .length = std::chrono::milliseconds(200),
          .busy = std::chrono::milliseconds(50),
          .apps = {SampleAppWindow("door"), SampleAppWindow("gate")}};
}

inline DeviceFit SampleFit() {
  return {.device = DeviceId("jetson-1/gpu0"),
          .boot = BootId("b1"),
          .covered_sequence = 9,
          .apps = {{AppId("door"), {12, 1, 40}}, {AppId("gate"), {3, 1, 20}}},
          .models = {{ModelId("pose:1"), {0.005, 0.1, 40}, {0.009, 0.1, 4}}, {ModelId("pose:2"), {}, {}}}};
}

inline Placement SamplePlacement() {
  return {.app = AppId("door"),
          .device = DeviceId("jetson-1/gpu0"),
          .model = ModelId("pose:1"),
          .format = ModelFormat::kTflite,
          .file = kDigest,
          .epoch = 1,
          .phase = PlacementPhase::kReady,
          .reason = ""};
}

inline Verdict SampleVerdict(std::string device, bool ok) {
  Verdict verdict;
  verdict.device = DeviceId("jetson-1/" + std::move(device));
  verdict.node = NodeId("jetson-1");
  verdict.ok = ok;
  if (!ok) verdict.filter = FilterKind::kMemory;
  const Duration latency = std::chrono::milliseconds(20);
  verdict.apps = {{AppId("door"), Statistic::kP95, latency, {}, latency},
                  {AppId("gate"), Statistic::kMean, latency, latency, {}}};
  return verdict;
}

/// Admitted to gpu0; cpu0 refused.
inline Decision SampleDecision() {
  Decision decision;
  decision.kind = DecisionKind::kAdmit;
  decision.app = SampleApplication();
  decision.device = DeviceId("jetson-1/gpu0");
  decision.model = ModelId("pose:1");
  decision.verdicts = {SampleVerdict("cpu0", false), SampleVerdict("gpu0", true)};
  decision.max_rate_rps = 30;
  return decision;
}

inline Command SampleCommand() {
  return {.kind = CommandKind::kStart,
          .epoch = 1,
          .device = DeviceId("jetson-1/gpu0"),
          .app = AppId("door"),
          .model = ModelId("pose:1"),
          .format = ModelFormat::kTflite,
          .file = kDigest};
}

inline Event SampleEvent() {
  return {.sequence = 1, .at = {}, .kind = "app_admitted", .subject = "door", .detail = "to jetson-1/gpu0"};
}

} // namespace avocet

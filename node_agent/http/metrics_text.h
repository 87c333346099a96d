#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "node_agent/inference/inference_core.h"
#include "node_agent/probes/nvml_probe.h"
#include "node_agent/scheduling/device_metrics.h"

namespace avocet {

/// A GPU and what it does now.
struct GpuMetrics {
  NvidiaGpu gpu;
  GpuReading reading;
};

/// Of the GPUs that answer; a board that fails is left out.
std::vector<GpuMetrics> ReadGpus(const Nvml& nvml);

/// What the page of /metrics is made from.
struct MetricsSnapshot {
  std::vector<ServedStatistics> apps;
  std::vector<DeviceMetrics> devices;
  std::vector<GpuMetrics> gpus;
  std::array<uint64_t, kStatusCodes> refusals{}; ///< of no application's requests, by StatusCode
  uint64_t bytes_in_flight = 0;
  size_t http_connections = 0;
  uint64_t http_refused_connections = 0;
  uint64_t http_evicted_connections = 0;
  uint64_t http_slow_connections = 0;
  size_t grpc_connections = 0;
  uint64_t grpc_refused_connections = 0;
  uint64_t grpc_slow_calls = 0;
};

/// Prometheus' text format: Triton's nv_inference_* and, where there are GPUs, nv_gpu_* names with its labels (its
/// `model` is our application), so that dashboards made for it work, and avocet_* with what it does not have.
std::string MetricsText(const MetricsSnapshot& snapshot);

} // namespace avocet

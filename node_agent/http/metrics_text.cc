#include "node_agent/http/metrics_text.h"

#include <optional>
#include <utility>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace avocet {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double Micros(Duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// Collects families; a family's lines must come together.
class Page {
public:
  void Family(std::string name, std::string help, MetricType type) {
    MetricFamily& family = families_.emplace_back();
    family.name = std::move(name);
    family.help = std::move(help);
    family.type = type;
  }
  void Add(Labels labels, double value) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter)
      metric.counter.value = value;
    else
      metric.gauge.value = value;
  }
  void Add(Labels labels, const ResponseBuckets& responses, double sum) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    metric.histogram.sample_sum = sum;
    metric.histogram.sample_count = responses.total();
    for (const auto& [limit, count] : responses.Cumulative())
      metric.histogram.bucket.push_back({count, ToSeconds(limit)});
  }
  std::string Text() const { return prometheus::TextSerializer().Serialize(families_); }

private:
  std::vector<MetricFamily> families_;
};

Labels TritonLabels(const ServedStatistics& app) {
  return {{"model", app.name}, {"version", app.version}};
}

Labels With(Labels labels, std::string name, std::string value) {
  labels.push_back({std::move(name), std::move(value)});
  return labels;
}

/// Triton's word for why a request failed.
std::string_view TritonReason(StatusCode code) {
  switch (code) {
  case StatusCode::kUnavailable:
  case StatusCode::kDeadlineExceeded:
  case StatusCode::kResourceExhausted:
  case StatusCode::kRejected:
    return "REJECTED";
  case StatusCode::kCancelled:
    return "CANCELED";
  case StatusCode::kInternal:
  case StatusCode::kCorruption:
    return "BACKEND";
  case StatusCode::kOk:
  case StatusCode::kInvalidArgument:
  case StatusCode::kNotFound:
  case StatusCode::kAlreadyExists:
  case StatusCode::kDenied:
  case StatusCode::kUnsupported:
    break;
  }
  return "OTHER";
}

uint64_t FailuresFor(const InferenceTotals& totals, std::string_view reason) {
  uint64_t count = 0;
  for (size_t code = 1; code < kStatusCodes; ++code)
    count += TritonReason(static_cast<StatusCode>(code)) == reason ? totals.failures[code] : 0;
  return count;
}

void AddTritonFailures(Page& page, const std::vector<ServedStatistics>& apps) {
  page.Family("nv_inference_request_failure", "Number of failed inference requests", MetricType::Counter);
  for (const ServedStatistics& app : apps) {
    for (const char* reason : {"REJECTED", "CANCELED", "BACKEND", "OTHER"})
      page.Add(With(TritonLabels(app), "reason", reason), static_cast<double>(FailuresFor(app.totals, reason)));
  }
}

/// One of Triton's counters, from each application's totals.
template <class Value> void AddTriton(Page& page, const std::vector<ServedStatistics>& apps,
                                      std::pair<const char*, const char*> name_and_help, Value value,
                                      MetricType type = MetricType::Counter) {
  page.Family(name_and_help.first, name_and_help.second, type);
  for (const ServedStatistics& app : apps)
    page.Add(TritonLabels(app), static_cast<double>(value(app.totals)));
}

void AddTritonCounters(Page& page, const std::vector<ServedStatistics>& apps) {
  using T = InferenceTotals;
  AddTriton(page, apps, {"nv_inference_request_success", "Number of successful inference requests"},
            [](const T& t) { return t.success.count; });
  AddTritonFailures(page, apps);
  AddTriton(page, apps, {"nv_inference_count", "Number of inferences performed"},
            [](const T& t) { return t.success.count; });
  AddTriton(page, apps, {"nv_inference_exec_count", "Number of model executions performed"},
            [](const T& t) { return t.success.count; });
  AddTriton(page, apps, {"nv_inference_request_duration_us", "Cumulative inference request duration in microseconds"},
            [](const T& t) { return Micros(t.success.time); });
  AddTriton(page, apps, {"nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds"},
            [](const T& t) { return Micros(t.queue.time); });
  AddTriton(page, apps, {"nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds"},
            [](const T& t) { return Micros(t.compute_input.time); });
  AddTriton(page, apps,
            {"nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds"},
            [](const T& t) { return Micros(t.compute_infer.time); });
  AddTriton(page, apps,
            {"nv_inference_compute_output_duration_us", "Cumulative compute output duration in microseconds"},
            [](const T& t) { return Micros(t.compute_output.time); });
  AddTriton(
      page, apps, {"nv_inference_pending_request_count", "Number of requests that wait or run"},
      [](const T& t) { return t.pending; }, MetricType::Gauge);
}

void AddResponses(Page& page, const std::vector<ServedStatistics>& apps) {
  page.Family("avocet_response_seconds", "Measured response time of successful requests", MetricType::Histogram);
  for (const ServedStatistics& app : apps)
    page.Add({{"app", app.name}, {"version", app.version}}, app.totals.response, ToSeconds(app.totals.success.time));
  page.Family("avocet_objective_seconds",
              "Limit that the response time is judged by: the objective less the network allowance", MetricType::Gauge);
  for (const ServedStatistics& app : apps) {
    if (const auto limit = app.totals.response.objective())
      page.Add({{"app", app.name}, {"version", app.version}}, ToSeconds(*limit));
  }
}

void AddRefusals(Page& page, const std::string& app, const std::array<uint64_t, kStatusCodes>& counts) {
  for (size_t code = 1; code < kStatusCodes; ++code) {
    if (counts[code] == 0) continue;
    page.Add({{"app", app}, {"reason", std::string(ToString(static_cast<StatusCode>(code)))}},
             static_cast<double>(counts[code]));
  }
}

template <class Value> void AddDevices(Page& page, const std::vector<DeviceMetrics>& devices,
                                       std::pair<const char*, const char*> name_and_help, MetricType type,
                                       Value value) {
  page.Family(name_and_help.first, name_and_help.second, type);
  for (const DeviceMetrics& device : devices)
    page.Add({{"device", device.id.str()},
              {"kind", std::string(ToString(device.kind))},
              {"emulated", device.emulated ? "true" : "false"}},
             static_cast<double>(value(device)));
}

void AddAllDevices(Page& page, const std::vector<DeviceMetrics>& devices) {
  using D = DeviceMetrics;
  AddDevices(page, devices, {"avocet_device_utilization", "Share of the last seconds in which the device was busy"},
             MetricType::Gauge, [](const D& d) { return d.totals.utilization; });
  AddDevices(page, devices,
             {"avocet_device_switch_share", "Share of the last seconds' requests that made the device switch models"},
             MetricType::Gauge, [](const D& d) { return d.totals.switch_share; });
  AddDevices(page, devices, {"avocet_device_busy_seconds_total", "Time with at least one request in service"},
             MetricType::Counter, [](const D& d) { return ToSeconds(d.totals.busy); });
  AddDevices(page, devices, {"avocet_device_completions_total", "Requests answered with success"}, MetricType::Counter,
             [](const D& d) { return d.totals.completions; });
  AddDevices(page, devices, {"avocet_device_switches_total", "Requests that made the device switch models"},
             MetricType::Counter, [](const D& d) { return d.totals.switches; });
  AddDevices(page, devices, {"avocet_device_memory_used_bytes", "Memory that loaded models occupy"}, MetricType::Gauge,
             [](const D& d) { return d.memory_used_bytes; });
  AddDevices(page, devices, {"avocet_device_memory_total_bytes", "Memory that models may occupy"}, MetricType::Gauge,
             [](const D& d) { return d.memory_bytes; });
}

void AddPredictions(Page& page, const std::vector<DeviceMetrics>& devices) {
  page.Family("avocet_predicted_response_seconds", "Predicted response time, as the controller said last",
              MetricType::Gauge);
  for (const DeviceMetrics& device : devices) {
    for (const PredictedLatency& app : device.predicted) {
      const auto add = [&](const char* statistic, Duration value) {
        page.Add({{"app", app.app.str()}, {"device", device.id.str()}, {"statistic", statistic}}, ToSeconds(value));
      };
      add("mean", app.latency.mean);
      add("p50", app.latency.p50);
      add("p95", app.latency.p95);
      add("p99", app.latency.p99);
    }
  }
}

/// One of Triton's gauges, for the GPUs that can tell.
template <class Value> void AddGpus(Page& page, const std::vector<GpuMetrics>& gpus,
                                    std::pair<const char*, const char*> name_and_help, Value value) {
  page.Family(name_and_help.first, name_and_help.second, MetricType::Gauge);
  for (const GpuMetrics& gpu : gpus) {
    if (const auto found = value(gpu)) page.Add({{"gpu_uuid", gpu.gpu.uuid}}, static_cast<double>(*found));
  }
}

void AddAllGpus(Page& page, const std::vector<GpuMetrics>& gpus) {
  using G = GpuMetrics;
  if (gpus.empty()) return;
  AddGpus(page, gpus, {"nv_gpu_utilization", "GPU utilization rate [0.0 - 1.0)"},
          [](const G& g) { return g.reading.utilization; });
  AddGpus(page, gpus, {"nv_gpu_memory_total_bytes", "GPU total memory, in bytes"},
          [](const G& g) { return g.gpu.memory_bytes > 0 ? std::optional(g.gpu.memory_bytes) : std::nullopt; });
  AddGpus(page, gpus, {"nv_gpu_memory_used_bytes", "GPU used memory, in bytes"},
          [](const G& g) { return g.reading.memory_used_bytes; });
  AddGpus(page, gpus, {"nv_gpu_power_usage", "GPU power usage in watts"}, [](const G& g) { return g.reading.power_w; });
}

void AddNumber(Page& page, const char* name, const char* help, MetricType type, double value) {
  page.Family(name, help, type);
  page.Add({}, value);
}

void AddEndpoint(Page& page, const MetricsSnapshot& snapshot) {
  const auto gauge = [&page](const char* name, const char* help, uint64_t value) {
    AddNumber(page, name, help, MetricType::Gauge, static_cast<double>(value));
  };
  const auto counter = [&page](const char* name, const char* help, uint64_t value) {
    AddNumber(page, name, help, MetricType::Counter, static_cast<double>(value));
  };
  gauge("avocet_inference_bytes_in_flight", "Bytes of requests and answers in hand", snapshot.bytes_in_flight);
  gauge("avocet_http_connections", "Open HTTP connections", snapshot.http_connections);
  counter("avocet_http_connections_refused_total", "HTTP connections refused for being too many",
          snapshot.http_refused_connections);
  counter("avocet_http_connections_evicted_total", "Idle HTTP connections closed to make room for new ones",
          snapshot.http_evicted_connections);
  counter("avocet_http_connections_slow_total", "HTTP connections cut off for a body or an answer that was too slow",
          snapshot.http_slow_connections);
  gauge("avocet_grpc_connections", "Open gRPC connections", snapshot.grpc_connections);
  counter("avocet_grpc_connections_refused_total", "gRPC connections refused for being too many",
          snapshot.grpc_refused_connections);
  counter("avocet_grpc_calls_slow_total", "gRPC calls cut off for a message or an answer that was too slow",
          snapshot.grpc_slow_calls);
}

} // namespace

std::vector<GpuMetrics> ReadGpus(const Nvml& nvml) {
  std::vector<GpuMetrics> all;
  auto gpus = nvml.Gpus();
  if (!gpus.ok()) return all;
  for (unsigned i = 0; i < gpus->size(); ++i) {
    auto reading = nvml.Read(i);
    if (reading.ok()) all.push_back({std::move((*gpus)[i]), *reading});
  }
  return all;
}

std::string MetricsText(const MetricsSnapshot& snapshot) {
  Page page;
  AddTritonCounters(page, snapshot.apps);
  AddResponses(page, snapshot.apps);
  page.Family("avocet_refusals_total",
              "Requests answered with an error, by reason; without app: of none that is served", MetricType::Counter);
  for (const ServedStatistics& app : snapshot.apps)
    AddRefusals(page, app.name, app.totals.failures);
  AddRefusals(page, "", snapshot.refusals);
  AddAllDevices(page, snapshot.devices);
  AddPredictions(page, snapshot.devices);
  AddAllGpus(page, snapshot.gpus);
  AddEndpoint(page, snapshot);
  return page.Text();
}

} // namespace avocet

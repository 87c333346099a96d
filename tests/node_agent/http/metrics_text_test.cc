#include "node_agent/http/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/engines/shared_library.h"
#include "tests/node_agent/probes/fake_nvml.h"

namespace avocet {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

MetricsSnapshot Sample() {
  MetricsSnapshot snapshot;
  ServedStatistics app{"door", "1", {}};
  app.totals.success = {2, milliseconds(30)};
  app.totals.queue = {2, microseconds(500)};
  app.totals.compute_infer = {2, milliseconds(20)};
  app.totals.pending = 3;
  app.totals.failures[static_cast<size_t>(StatusCode::kUnavailable)] = 4;
  app.totals.failures[static_cast<size_t>(StatusCode::kDeadlineExceeded)] = 1;
  app.totals.response.SetObjective(milliseconds(15));
  app.totals.response.Add(milliseconds(10));
  app.totals.response.Add(milliseconds(20));
  snapshot.apps.push_back(app);
  snapshot.devices.push_back(
      {.id = DeviceId("n/gpu0"),
       .kind = DeviceKind::kGpu,
       .emulated = true,
       .memory_used_bytes = 10,
       .memory_bytes = 100,
       .totals = {milliseconds(1500), 7, 2, 0.25, 0.5},
       .predicted = {{AppId("door"), {milliseconds(11), milliseconds(10), milliseconds(21), milliseconds(31)}}}});
  snapshot.refusals[static_cast<size_t>(StatusCode::kNotFound)] = 9;
  snapshot.http_connections = 5;
  snapshot.http_refused_connections = 6;
  snapshot.http_evicted_connections = 7;
  snapshot.grpc_connections = 8;
  snapshot.grpc_refused_connections = 9;
  return snapshot;
}

TEST(MetricsText, HasTritonsNames) {
  const std::string text = MetricsText(Sample());
  for (const char* line :
       {"# TYPE nv_inference_request_success counter", "nv_inference_request_success{model=\"door\",version=\"1\"} 2\n",
        "nv_inference_request_failure{model=\"door\",version=\"1\",reason=\"REJECTED\"} 5\n",
        "nv_inference_request_failure{model=\"door\",version=\"1\",reason=\"BACKEND\"} 0\n",
        "nv_inference_count{model=\"door\",version=\"1\"} 2\n",
        "nv_inference_exec_count{model=\"door\",version=\"1\"} 2\n",
        "nv_inference_request_duration_us{model=\"door\",version=\"1\"} 30000\n",
        "nv_inference_queue_duration_us{model=\"door\",version=\"1\"} 500\n",
        "nv_inference_compute_infer_duration_us{model=\"door\",version=\"1\"} 20000\n",
        "nv_inference_compute_input_duration_us{model=\"door\",version=\"1\"} 0\n",
        "nv_inference_compute_output_duration_us{model=\"door\",version=\"1\"} 0\n",
        "# TYPE nv_inference_pending_request_count gauge",
        "nv_inference_pending_request_count{model=\"door\",version=\"1\"} 3\n"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(MetricsText, HasOurOwn) {
  const std::string text = MetricsText(Sample());
  for (const char* line :
       {"# TYPE avocet_response_seconds histogram", "avocet_response_seconds_count{app=\"door\",version=\"1\"} 2\n",
        "avocet_response_seconds_sum{app=\"door\",version=\"1\"} 0.03\n",
        "avocet_response_seconds_bucket{app=\"door\",version=\"1\",le=\"0.005\"} 0\n",
        "avocet_response_seconds_bucket{app=\"door\",version=\"1\",le=\"0.01\"} 1\n",
        "avocet_response_seconds_bucket{app=\"door\",version=\"1\",le=\"0.025\"} 2\n",
        "avocet_response_seconds_bucket{app=\"door\",version=\"1\",le=\"60\"} 2\n",
        "avocet_response_seconds_bucket{app=\"door\",version=\"1\",le=\"+Inf\"} 2\n",
        "avocet_refusals_total{app=\"door\",reason=\"unavailable\"} 4\n",
        "avocet_refusals_total{app=\"\",reason=\"not_found\"} 9\n",
        "avocet_device_utilization{device=\"n/gpu0\",kind=\"gpu\",emulated=\"true\"} 0.25\n",
        "avocet_device_switch_share{device=\"n/gpu0\",kind=\"gpu\",emulated=\"true\"} 0.5\n",
        "avocet_device_busy_seconds_total{device=\"n/gpu0\",kind=\"gpu\",emulated=\"true\"} 1.5\n",
        "avocet_http_connections 5\n", "avocet_http_connections_refused_total 6\n",
        "avocet_http_connections_evicted_total 7\n", "avocet_grpc_connections 8\n",
        "avocet_grpc_connections_refused_total 9\n"})
    EXPECT_THAT(text, HasSubstr(line));
  for (const char* line : {"{app=\"door\",device=\"n/gpu0\",statistic=\"mean\"} 0.011\n",
                           "{app=\"door\",device=\"n/gpu0\",statistic=\"p50\"} 0.01\n",
                           "{app=\"door\",device=\"n/gpu0\",statistic=\"p95\"} 0.021\n",
                           "{app=\"door\",device=\"n/gpu0\",statistic=\"p99\"} 0.031\n"})
    EXPECT_THAT(text, HasSubstr(std::string("avocet_predicted_response_seconds") + line));
  EXPECT_THAT(text, Not(HasSubstr("reason=\"internal\"")));
}

TEST(MetricsText, TellsTheShareWithinTheObjectiveExactly) {
  MetricsSnapshot snapshot = Sample();
  for (int i = 0; i < 7; ++i)
    snapshot.apps[0].totals.response.Add(milliseconds(15));
  snapshot.apps[0].totals.response.Add(microseconds(15'001));
  const std::string text = MetricsText(snapshot);
  EXPECT_THAT(text, HasSubstr("avocet_response_seconds_bucket{app=\"door\",version=\"1\",le=\"0.015\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("avocet_response_seconds_count{app=\"door\",version=\"1\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("avocet_objective_seconds{app=\"door\",version=\"1\"} 0.015\n"));
}

TEST(MetricsText, HasNoObjectiveBeforeTheControllerSaidIt) {
  MetricsSnapshot snapshot = Sample();
  snapshot.apps[0].totals.response = {};
  EXPECT_THAT(MetricsText(snapshot), Not(HasSubstr("avocet_objective_seconds{")));
}

template <class Use> void WithFakeGpus(const Use& use) {
  FakeNvml* fake = nullptr;
  const auto library = SharedLibrary::Open(AVOCET_FAKE_NVML);
  ASSERT_TRUE(library.ok() && library->Bind("fake_nvml", fake).ok());
  *fake = {};
  fake->gpus = 2;
  const auto nvml = Nvml::Open(AVOCET_FAKE_NVML);
  ASSERT_TRUE(nvml.ok());
  use(*fake, **nvml);
}

TEST(MetricsText, HasTritonsNamesOfGpus) {
  WithFakeGpus([](FakeNvml&, const Nvml& nvml) {
    MetricsSnapshot snapshot;
    snapshot.gpus = ReadGpus(nvml);
    const std::string text = MetricsText(snapshot);
    for (const char* line :
         {"# TYPE nv_gpu_utilization gauge", "nv_gpu_utilization{gpu_uuid=\"GPU-0\"} 0.42\n",
          "nv_gpu_utilization{gpu_uuid=\"GPU-1\"} 0.42\n", "nv_gpu_memory_total_bytes{gpu_uuid=\"GPU-1\"} 8589934592\n",
          "nv_gpu_memory_used_bytes{gpu_uuid=\"GPU-1\"} 2147483648\n", "nv_gpu_power_usage{gpu_uuid=\"GPU-1\"} 61.5\n"})
      EXPECT_THAT(text, HasSubstr(line));
  });
}

TEST(MetricsText, SaysNothingOfAGpuThatItDoesNotKnow) {
  EXPECT_THAT(MetricsText(Sample()), Not(HasSubstr("nv_gpu")));
  WithFakeGpus([](FakeNvml& fake, const Nvml& nvml) {
    fake.is_integrated = true;
    MetricsSnapshot snapshot;
    snapshot.gpus = ReadGpus(nvml);
    EXPECT_EQ(snapshot.gpus.size(), 2U);
    EXPECT_THAT(MetricsText(snapshot), Not(HasSubstr("gpu_uuid")));
  });
}

} // namespace
} // namespace avocet

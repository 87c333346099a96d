// What measuring costs: adding a latency to a sketch (beside finding its bucket by a logarithm), the bytes of a sketch
// in a window, and the bytes that a controller writes and keeps for the rolling totals of a device with 50
// applications.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "controller/queueing/rolling_totals.h"
#include "messages/codec/codec.h"

namespace avocet {
namespace {

constexpr size_t kApps = 50;
constexpr double kWindowSeconds = 0.2;

/// Service of 10 ms and an exponential wait, as behind a queue.
std::vector<Duration> Latencies(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> wait(1 / 0.008);
  std::vector<Duration> values(count);
  std::generate(values.begin(), values.end(), [&] { return FromSeconds(0.010 + wait(random)); });
  return values;
}

template <class Function> double NanosEach(const std::vector<Duration>& values, const Function& function) {
  constexpr int kRounds = 50;
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < kRounds; ++round) {
    for (const Duration value : values)
      function(value);
  }
  const Duration elapsed = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(elapsed.count()) / kRounds / static_cast<double>(values.size());
}

void MeasureAdd() {
  const auto values = Latencies(100'000, 1);
  LatencySketch sketch;
  uint64_t sum = 0;
  std::printf("add: %.1f ns\n", NanosEach(values, [&](Duration value) { sketch.Add(value); }));
  std::printf("find the bucket: %.1f ns, by log2: %.1f ns\n",
              NanosEach(values, [&](Duration value) { sum += static_cast<uint64_t>(LatencySketch::BucketOf(value)); }),
              NanosEach(values, [&](Duration value) {
                sum += static_cast<uint64_t>(std::log2(static_cast<double>(value.count()) / 1000) * 76);
              }));
  std::printf("(checksum %lu, buckets %zu)\n", static_cast<unsigned long>(sum % 10), sketch.buckets().size());
}

void MeasureWindow() {
  for (const size_t count : {size_t{1}, size_t{4}, size_t{20}, size_t{100}, size_t{400}}) {
    size_t bytes = 0;
    constexpr uint64_t kSamples = 200;
    for (uint64_t seed = 0; seed < kSamples; ++seed) {
      LatencySketch sketch;
      for (const Duration value : Latencies(count, seed))
        sketch.Add(value);
      bytes += ToProto(sketch).ByteSizeLong();
    }
    std::printf("sketch of %zu latencies: %.1f bytes\n", count, static_cast<double>(bytes) / kSamples);
  }
}

MeasurementWindow Window(const DeviceId& device, double rate_rps, std::mt19937_64& random) {
  MeasurementWindow window{.device = device,
                           .boot = BootId("bench"),
                           .sequence = 1,
                           .length = FromSeconds(kWindowSeconds),
                           .busy = {},
                           .apps = {}};
  std::poisson_distribution<size_t> requests(rate_rps * kWindowSeconds);
  for (size_t i = 0; i < kApps; ++i) {
    AppWindow app{.app = AppId("application-" + std::to_string(i)), .model = ModelId("resnet18:1")};
    for (const Duration value : Latencies(requests(random), random())) {
      ++app.completions;
      app.response.Add(ToSeconds(value));
      app.response_sketch.Add(value);
    }
    app.arrivals = app.completions;
    window.apps.push_back(std::move(app));
  }
  return window;
}

/// Two hours, persisted every 2 s.
void MeasureTotals(double rate_rps) {
  const DeviceId device("edge-1/gpu0");
  RollingTotals totals(device);
  std::mt19937_64 random(3);
  const WallTime begin{std::chrono::hours(500'000)};
  size_t written = 0, largest = 0, persists = 0;
  constexpr int kWindows = 5 * 7200;
  for (int i = 0; i < kWindows; ++i) {
    totals.Add(Window(device, rate_rps, random), begin + std::chrono::milliseconds(200) * i);
    if (i % 10 != 9) continue;
    size_t bytes = 0;
    for (const TotalsSlot& slot : totals.TakeChanges())
      bytes += Encode(slot).size();
    written += bytes;
    largest = std::max(largest, bytes);
    ++persists;
  }
  const WallTime end = begin + std::chrono::milliseconds(200) * (kWindows - 1);
  const auto begun = std::chrono::steady_clock::now();
  const size_t described = totals.Describe(end).size();
  const Duration took = std::chrono::steady_clock::now() - begun;
  std::printf("%zu applications at %.0f rps: %.0f bytes a persist on average, %zu at most; describing takes %.1f ms\n",
              described, rate_rps, static_cast<double>(written) / static_cast<double>(persists), largest,
              ToMillis(took));
}

} // namespace
} // namespace avocet

int main() {
  avocet::MeasureAdd();
  avocet::MeasureWindow();
  avocet::MeasureTotals(5);
  avocet::MeasureTotals(50);
}

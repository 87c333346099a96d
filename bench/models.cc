// What the latency models cost and how exact they are, on mixes drawn here: K models of an edgeTPU (published
// service and switch times) at a given utilization. Single thread, CPU time; the seed is fixed.
//   mean        solving the fifo model, which gives every class's exact mean (and the fast percentiles)
//   one test    one exact P(response <= limit) on the solved model, of one class
//   device      the same of all classes, in one call
//   portable    solving and testing the device without AVX2, as on any x86-64
//   p95         one exact percentile
//   vs sim      largest deviation of the exact mean / p95 from a simulation of kRequests requests
//   fast p95    average / largest deviation of the fast p95 from the exact one
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "controller/queueing/fifo_model.h"
#include "controller/queueing/micro_simulation.h"
#include "controller/queueing/time_shared_model.h"

namespace avocet {
namespace {

constexpr int kMixes = 30;
constexpr int kRequests = 400000;
constexpr int kRepeats = 20;

struct Timing {
  double service_ms, switch_ms;
};
constexpr Timing kTimings[] = {{4.91, 10.43},  {18.03, 23.93}, {9.83, 17.33},   {42.18, 17.53}, {4.10, 8.0},
                               {15.85, 22.63}, {62.95, 19.39}, {125.13, 19.43}, {10.16, 17.31}};

DeviceLoad Draw(Discipline discipline, int models, double utilization, std::mt19937_64& random) {
  std::vector<Timing> timings(std::begin(kTimings), std::end(kTimings));
  std::shuffle(timings.begin(), timings.end(), random);
  DeviceLoad load{.discipline = discipline, .cores = 1, .apps = {}};
  for (int i = 0; i < models; ++i) {
    const auto& timing = timings[static_cast<size_t>(i)];
    const std::string name = "m" + std::to_string(i);
    const double rate = std::exp(std::uniform_real_distribution<>(std::log(0.1), std::log(10))(random));
    load.apps.push_back({.app = AppId(name),
                         .model = MakeModelId(name, "1"),
                         .rate_rps = rate,
                         .service = {timing.service_ms / 1e3, 0},
                         .switch_s = timing.switch_ms / 1e3});
  }
  const double scale = utilization / Utilization(load);
  for (auto& app : load.apps)
    app.rate_rps *= scale;
  return load;
}

double CpuMicros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

/// Mean CPU time of `work`, which returns a number so that it is not optimised away.
template <class Work> double Micros(const Work& work) {
  static volatile double sink = 0;
  const double start = CpuMicros();
  for (int i = 0; i < kRepeats; ++i)
    sink = sink + work();
  return (CpuMicros() - start) / kRepeats;
}

struct Deviation {
  double sum = 0, worst = 0;
  int count = 0;
  void Add(double value, double truth) {
    const double error = std::abs(value / truth - 1) * 100;
    sum += error, worst = std::max(worst, error), ++count;
  }
  double mean() const { return sum / std::max(count, 1); }
};

void Fifo(int models, double utilization) {
  std::mt19937_64 random(11);
  double solve = 0, test = 0, device_test = 0, portable = 0, quantile = 0;
  Deviation mean, p95, fast;
  for (int mix = 0; mix < kMixes; ++mix) {
    const DeviceLoad load = Draw(Discipline::kFifo, models, utilization, random);
    const FifoModel model(load);
    solve += Micros([&] { return FifoModel(load).MeanWait(); });
    const double limit = model.Quantile(0, 0.95);
    test += Micros([&] { return model.Cdf(0, limit); });
    std::vector<ResponseLimit> limits;
    for (size_t i = 0; i < load.apps.size(); ++i)
      limits.push_back({i, limit});
    std::vector<double> within(limits.size());
    device_test += Micros([&] { return model.Cdf(limits, within), within[0]; });
    portable += Micros([&] {
      FifoModel(load, Instructions::kBaseline).Cdf(limits, within);
      return within[0];
    });
    quantile += Micros([&] { return model.Quantile(0, 0.95); });
    const auto sample = Simulate(load, {.requests = kRequests});
    for (size_t i = 0; i < load.apps.size(); ++i) {
      fast.Add(model.Approximate(i).Quantile(0.95), model.Quantile(i, 0.95));
      if (sample.Count(i) < 20000) continue; // a rare class's sample says less than the model
      mean.Add(model.Mean(i), sample.Mean(i));
      p95.Add(model.Quantile(i, 0.95), sample.Quantile(i, 0.95));
    }
  }
  std::printf("%3d %5.2f %10.1f %10.1f %10.1f %10.1f %10.1f %9.2f / %4.2f %%  %6.2f / %5.2f %%\n", models, utilization,
              solve / kMixes, test / kMixes, device_test / kMixes, portable / kMixes, quantile / kMixes, mean.worst,
              p95.worst, fast.mean(), fast.worst);
}

void TimeShared(int models, double utilization) {
  std::mt19937_64 random(12);
  double solve = 0, simulate = 0;
  Deviation mean, p95;
  for (int mix = 0; mix < kMixes; ++mix) {
    const DeviceLoad load = Draw(Discipline::kTimeShared, models, utilization, random);
    solve += Micros([&] { return TimeSharedModel(load).Mean(0); });
    const double start = CpuMicros();
    const auto sample = Simulate(load, {.requests = kRequests});
    simulate += CpuMicros() - start;
    const TimeSharedModel model(load);
    for (size_t i = 0; i < load.apps.size(); ++i) {
      if (sample.Count(i) < 20000) continue;
      mean.Add(model.Mean(i), sample.Mean(i));
      p95.Add(model.Approximate(i).Quantile(0.95), sample.Quantile(i, 0.95));
    }
  }
  std::printf("%3d %5.2f %10.1f %10.1f %12.3f %10s %7.2f / %5.2f %%  %6.2f / %5.2f %%\n", models, utilization,
              solve / kMixes, simulate / kMixes / 1e3, simulate / kMixes / kRequests, "", mean.mean(), mean.worst,
              p95.mean(), p95.worst);
}

} // namespace
} // namespace avocet

int main() {
  std::printf("fifo\n%3s %5s %10s %10s %10s %10s %10s %18s %18s\n", "K", "rho", "mean us", "one test", "device",
              "portable", "p95 us", "vs sim mean/p95", "fast p95 avg/max");
  for (const int models : {1, 2, 4, 8}) {
    for (const double utilization : {0.3, 0.6, 0.8, 0.9})
      avocet::Fifo(models, utilization);
  }
  std::printf("\ntime_shared, the approximation against the simulation\n%3s %5s %10s %10s %12s %10s %18s %18s\n", "K",
              "rho", "solve us", "sim ms", "us/request", "", "mean avg/max", "p95 avg/max");
  for (const int models : {2, 4, 8}) {
    for (const double utilization : {0.3, 0.6, 0.8, 0.9})
      avocet::TimeShared(models, utilization);
  }
}

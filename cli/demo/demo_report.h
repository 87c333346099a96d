#pragma once

#include <string>
#include <vector>

#include "cli/load/load_generator.h"
#include "cli/load/sample_statistics.h"
#include "cli/render/render.h"
#include "messages/placement.h"
#include "messages/reports.h"

namespace avocet {

/// One look at all applications, taken about once a second while the load runs.
using DemoSample = std::vector<AppStatus>;

/// One line of the demo's result.
struct DemoRow {
  AppStatus app;         ///< with the prediction made before the measured stretch
  uint64_t requests = 0; ///< measured
  Duration mean{};
  Duration p95{};
  double mean_err = 0;                ///< measured / predicted - 1
  std::optional<Interval> interval_s; ///< 95 % confidence of the objective's statistic
  std::string failure;                ///< why this row fails the demo; empty: it does not
};

/// A mean with more requests than this must be as predicted, within kDemoMeanTolerance.
inline constexpr uint64_t kDemoManyRequests = 500;
inline constexpr double kDemoMeanTolerance = 0.25;

/// Compares what was measured between the first and the last sample with what the first one
/// predicts. Requires at least two samples, each of the same applications in the same order.
std::vector<DemoRow> CompareSamples(const std::vector<DemoSample>& samples);

struct DemoResult {
  std::vector<DemoRow> rows;
  LoadReport load;
  Decision rejection;
  std::vector<std::string> failures; ///< of the demo as a whole
  bool ok() const;
};

std::string RenderDemo(const DemoResult& result, const RenderOptions& options);

} // namespace avocet

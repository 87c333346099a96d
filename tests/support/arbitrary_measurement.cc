#include <cstdint>
#include <set>

#include "tests/support/arbitrary_parts.h"

namespace avocet {
namespace {

Moments AnyMoments() {
  if (*rc::gen::arbitrary<bool>()) return {};
  return {.count = PositiveCount(), .sum = *Amount(), .sum2 = *Amount()};
}

Estimate AnyEstimate() {
  return {.mean = *Amount(), .scv = *Amount(), .weight = *Amount()};
}

AppWindow AnyAppWindow(const AppId& app) {
  AppWindow window;
  window.app = app;
  window.model = *ValidModelId();
  window.arrivals = AnyCount();
  window.completions = AnyCount();
  window.failures = AnyCount();
  window.refusals = AnyCount();
  window.expired = AnyCount();
  window.interarrival = AnyMoments();
  window.service = AnyMoments();
  window.switched_service = AnyMoments();
  window.response = AnyMoments();
  window.response_sketch = *AnySketch();
  return window;
}

AppTotals AnyTotals() {
  return {.arrivals = AnyCount(),
          .completions = AnyCount(),
          .failures = AnyCount(),
          .refusals = AnyCount(),
          .expired = AnyCount(),
          .measured = Duration(Integer<int64_t>(0, INT64_MAX)),
          .response = AnyMoments(),
          .response_sketch = *AnySketch(),
          .rate = {}};
}

} // namespace

rc::Gen<LatencySketch> AnySketch() {
  return rc::gen::exec([] {
    LatencySketch sketch;
    for (size_t i = ListLength(0, 8); i > 0; --i) {
      sketch.AddToBucket(Integer(0, LatencySketch::kBuckets - 1), Integer<uint64_t>(1, LatencySketch::kMaxCount));
    }
    return sketch;
  });
}

rc::Gen<TotalsSlot> ValidTotalsSlot() {
  return rc::gen::exec([] {
    TotalsSlot slot;
    slot.device = *ValidDeviceId();
    slot.span = *rc::gen::element(TotalsSpan::kFiveSeconds, TotalsSpan::kMinute, TotalsSpan::kEver);
    slot.number = Integer<int64_t>(0, INT64_MAX);
    const auto names = DistinctIds(AppIds(), 0);
    for (const AppId& app : std::set<AppId>(names.begin(), names.end()))
      slot.apps.push_back({app, AnyTotals()});
    return slot;
  });
}

rc::Gen<MeasurementWindow> ValidMeasurementWindow() {
  return rc::gen::exec([] {
    MeasurementWindow window;
    window.device = *ValidDeviceId();
    window.boot = BootId(*ValidName());
    window.sequence = PositiveCount();
    window.length = *DurationBetween(Duration(1), Duration::max());
    window.busy = *DurationBetween(Duration(0), window.length);
    for (const AppId& app : DistinctIds(AppIds()))
      window.apps.push_back(AnyAppWindow(app));
    return window;
  });
}

rc::Gen<DeviceFit> ValidDeviceFit() {
  return rc::gen::exec([] {
    DeviceFit fit;
    fit.device = *ValidDeviceId();
    if (*rc::gen::arbitrary<bool>()) {
      fit.boot = BootId(*ValidName());
      fit.covered_sequence = AnyCount();
    }
    for (const AppId& app : DistinctIds(AppIds()))
      fit.apps.push_back({app, AnyEstimate()});
    for (const ModelId& id : DistinctIds(ValidModelId()))
      fit.models.push_back({id, AnyEstimate(), AnyEstimate()});
    return fit;
  });
}

} // namespace avocet

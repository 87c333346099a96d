#include "messages/codec.h"
#include "messages/codec_reader.h"

namespace avocet {
namespace {

v1::Moments MomentsToProto(const Moments& moments) {
  v1::Moments proto;
  proto.set_count(moments.count);
  proto.set_sum(moments.sum);
  proto.set_sum2(moments.sum2);
  return proto;
}

Moments ReadMoments(const v1::Moments& proto) {
  return {.count = proto.count(), .sum = proto.sum(), .sum2 = proto.sum2()};
}

v1::LatencyHistogram HistogramToProto(const LatencyHistogram& histogram) {
  v1::LatencyHistogram proto;
  uint32_t bucket = 0;
  for (const uint32_t count : histogram.counts()) {
    if (count > 0) {
      proto.add_bucket(bucket);
      proto.add_count(count);
    }
    ++bucket;
  }
  return proto;
}

/// Exactly what HistogramToProto writes: ascending indexes, no empty bucket.
Result<LatencyHistogram> ReadHistogram(const v1::LatencyHistogram& proto) {
  LatencyHistogram histogram;
  bool is_right = proto.bucket_size() == proto.count_size() && proto.bucket_size() <= LatencyHistogram::kBuckets;
  int64_t last = -1;
  for (int i = 0; is_right && i < proto.bucket_size(); ++i) {
    const int64_t bucket = proto.bucket(i);
    is_right = bucket > last && bucket < LatencyHistogram::kBuckets && proto.count(i) > 0 &&
               histogram.AddToBucket(static_cast<int>(bucket), proto.count(i));
    last = bucket;
  }
  if (!is_right) return Corruption("not pairs of ascending buckets and counts above 0");
  return histogram;
}

v1::AppWindow AppWindowToProto(const AppWindow& window) {
  v1::AppWindow proto;
  proto.set_app(window.app.str());
  proto.set_model(window.model.str());
  proto.set_arrivals(window.arrivals);
  proto.set_completions(window.completions);
  proto.set_failures(window.failures);
  proto.set_refusals(window.refusals);
  *proto.mutable_interarrival() = MomentsToProto(window.interarrival);
  *proto.mutable_service() = MomentsToProto(window.service);
  *proto.mutable_switched_service() = MomentsToProto(window.switched_service);
  *proto.mutable_response() = MomentsToProto(window.response);
  *proto.mutable_response_histogram() = HistogramToProto(window.response_histogram);
  return proto;
}

AppWindow ReadAppWindow(const v1::AppWindow& proto, Reader& reader) {
  reader.Present("apps.interarrival", proto.has_interarrival());
  reader.Present("apps.service", proto.has_service());
  reader.Present("apps.switched_service", proto.has_switched_service());
  reader.Present("apps.response", proto.has_response());
  reader.Present("apps.response_histogram", proto.has_response_histogram());
  AppWindow window;
  window.app = AppId(proto.app());
  window.model = ModelId(proto.model());
  window.arrivals = proto.arrivals();
  window.completions = proto.completions();
  window.failures = proto.failures();
  window.refusals = proto.refusals();
  window.interarrival = ReadMoments(proto.interarrival());
  window.service = ReadMoments(proto.service());
  window.switched_service = ReadMoments(proto.switched_service());
  window.response = ReadMoments(proto.response());
  auto histogram = ReadHistogram(proto.response_histogram());
  reader.Part("apps.response_histogram", histogram.status());
  if (histogram.ok()) window.response_histogram = *histogram;
  return window;
}

v1::Estimate EstimateToProto(const Estimate& estimate) {
  v1::Estimate proto;
  proto.set_mean(estimate.mean);
  proto.set_scv(estimate.scv);
  proto.set_weight(estimate.weight);
  return proto;
}

Estimate ReadEstimate(const v1::Estimate& proto) {
  return {.mean = proto.mean(), .scv = proto.scv(), .weight = proto.weight()};
}

v1::AppFit AppFitToProto(const AppFit& fit) {
  v1::AppFit proto;
  proto.set_app(fit.app.str());
  *proto.mutable_rate() = EstimateToProto(fit.rate);
  return proto;
}

AppFit ReadAppFit(const v1::AppFit& proto, Reader& reader) {
  reader.Present("apps.rate", proto.has_rate());
  return {.app = AppId(proto.app()), .rate = ReadEstimate(proto.rate())};
}

v1::ModelFit ModelFitToProto(const ModelFit& fit) {
  v1::ModelFit proto;
  proto.set_model(fit.model.str());
  *proto.mutable_service() = EstimateToProto(fit.service);
  *proto.mutable_switched_service() = EstimateToProto(fit.switched_service);
  return proto;
}

ModelFit ReadModelFit(const v1::ModelFit& proto, Reader& reader) {
  reader.Present("models.service", proto.has_service());
  reader.Present("models.switched_service", proto.has_switched_service());
  return {.model = ModelId(proto.model()),
          .service = ReadEstimate(proto.service()),
          .switched_service = ReadEstimate(proto.switched_service())};
}

} // namespace

v1::Moments ToProto(const Moments& moments) {
  return MomentsToProto(moments);
}

v1::LatencyHistogram ToProto(const LatencyHistogram& histogram) {
  return HistogramToProto(histogram);
}

v1::Estimate ToProto(const Estimate& estimate) {
  return EstimateToProto(estimate);
}

Result<Moments> FromProto(const v1::Moments& proto) {
  return ReadMoments(proto);
}

Result<LatencyHistogram> FromProto(const v1::LatencyHistogram& proto) {
  return ReadHistogram(proto);
}

Result<Estimate> FromProto(const v1::Estimate& proto) {
  return ReadEstimate(proto);
}

v1::MeasurementWindow ToProto(const MeasurementWindow& window) {
  v1::MeasurementWindow proto;
  proto.set_device(window.device.str());
  proto.set_boot(window.boot.str());
  proto.set_sequence(window.sequence);
  proto.set_length_ns(window.length.count());
  proto.set_busy_ns(window.busy.count());
  for (const AppWindow& app : window.apps)
    *proto.add_apps() = AppWindowToProto(app);
  return proto;
}

Result<MeasurementWindow> FromProto(const v1::MeasurementWindow& proto) {
  Reader reader("MeasurementWindow");
  MeasurementWindow window;
  window.device = DeviceId(proto.device());
  window.boot = BootId(proto.boot());
  window.sequence = proto.sequence();
  window.length = Duration(proto.length_ns());
  window.busy = Duration(proto.busy_ns());
  for (const auto& app : proto.apps())
    window.apps.push_back(ReadAppWindow(app, reader));
  return reader.Finish(std::move(window));
}

v1::DeviceFit ToProto(const DeviceFit& fit) {
  v1::DeviceFit proto;
  proto.set_device(fit.device.str());
  proto.set_boot(fit.boot.str());
  proto.set_covered_sequence(fit.covered_sequence);
  for (const AppFit& app : fit.apps)
    *proto.add_apps() = AppFitToProto(app);
  for (const ModelFit& model : fit.models)
    *proto.add_models() = ModelFitToProto(model);
  return proto;
}

Result<DeviceFit> FromProto(const v1::DeviceFit& proto) {
  Reader reader("DeviceFit");
  DeviceFit fit;
  fit.device = DeviceId(proto.device());
  fit.boot = BootId(proto.boot());
  fit.covered_sequence = proto.covered_sequence();
  for (const auto& app : proto.apps())
    fit.apps.push_back(ReadAppFit(app, reader));
  for (const auto& model : proto.models())
    fit.models.push_back(ReadModelFit(model, reader));
  return reader.Finish(std::move(fit));
}

AVOCET_BYTES(MeasurementWindow)
AVOCET_BYTES(DeviceFit)

} // namespace avocet

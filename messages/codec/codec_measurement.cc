#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"

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

/// A window of 200 ms has few values, most of them alone in their bucket: those take one number each.
v1::LatencySketch SketchToProto(const LatencySketch& sketch) {
  v1::LatencySketch proto;
  int last = -1;
  for (const auto& bucket : sketch.buckets()) {
    const auto step = static_cast<uint64_t>(bucket.index() - last);
    proto.add_steps(step * 2 + (bucket.count() > 1 ? 1 : 0));
    if (bucket.count() > 1) proto.add_steps(bucket.count());
    last = bucket.index();
  }
  return proto;
}

/// Exactly what SketchToProto writes. Indexes ascend and are bounded, so kBuckets bounds the work, whatever was sent.
Result<LatencySketch> ReadSketch(const v1::LatencySketch& proto) {
  const Status wrong =
      Corruption("not steps >= 1 up to the last bucket, each with a count of 2 to 2^48 - 1 if it is odd");

  // A step is a distance to the next bucket, doubled, and odd where a count follows: most buckets count 1.
  LatencySketch sketch;
  int bucket = -1;

  for (int i = 0; i < proto.steps_size(); ++i) {
    const uint64_t step = proto.steps(i) / 2;
    if (step < 1 || step > uint64_t{LatencySketch::kBuckets}) return wrong;
    bucket += static_cast<int>(step);

    // A count of 1 has no number of its own, so a sketch has one encoding only.
    uint64_t count = 1;
    if (proto.steps(i) % 2 == 1) {
      count = ++i < proto.steps_size() ? proto.steps(i) : 0;
      if (count < 2) return wrong;
    }

    if (!sketch.AddToBucket(bucket, count)) return wrong;
  }

  return sketch;
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
  *proto.mutable_response_sketch() = SketchToProto(window.response_sketch);
  proto.set_expired(window.expired);

  return proto;
}

AppWindow ReadAppWindow(const v1::AppWindow& proto, Reader& reader) {
  reader.Present("apps.interarrival", proto.has_interarrival());
  reader.Present("apps.service", proto.has_service());
  reader.Present("apps.switched_service", proto.has_switched_service());
  reader.Present("apps.response", proto.has_response());
  reader.Present("apps.response_sketch", proto.has_response_sketch());

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
  window.expired = proto.expired();

  auto sketch = ReadSketch(proto.response_sketch());
  reader.Part("apps.response_sketch", sketch.status());
  if (sketch.ok()) window.response_sketch = std::move(*sketch);

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

v1::LatencySketch ToProto(const LatencySketch& sketch) {
  return SketchToProto(sketch);
}

v1::Estimate ToProto(const Estimate& estimate) {
  return EstimateToProto(estimate);
}

Result<Moments> FromProto(const v1::Moments& proto) {
  return ReadMoments(proto);
}

Result<LatencySketch> FromProto(const v1::LatencySketch& proto) {
  return ReadSketch(proto);
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

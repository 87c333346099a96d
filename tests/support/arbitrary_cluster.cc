#include <cfloat>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "tests/support/arbitrary_parts.h"

namespace avocet {
namespace {

DeviceKind AnyDeviceKind() {
  return *rc::gen::element(DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu);
}

Arrival AnyArrival() {
  switch (*rc::gen::element(ArrivalKind::kPoisson, ArrivalKind::kPeriodic, ArrivalKind::kScv)) {
  case ArrivalKind::kPoisson:
    return {ArrivalKind::kPoisson, 1};
  case ArrivalKind::kPeriodic:
    return {ArrivalKind::kPeriodic, 0};
  case ArrivalKind::kScv:
    break;
  }
  return {ArrivalKind::kScv, *DoubleBetween(0, kMaxArrivalScv)};
}

SampleInput AnySample(const std::string& name) {
  SampleInput sample{.name = name};
  sample.fill = *rc::gen::element(SampleFill::kZeros, SampleFill::kOnes, SampleFill::kRandom, SampleFill::kFile);
  if (*rc::gen::arbitrary<bool>()) sample.shape = std::vector<int64_t>{Integer<int64_t>(0, 9), 3};
  sample.seed = *rc::gen::arbitrary<uint64_t>();
  if (sample.fill != SampleFill::kFile) return sample;
  sample.data_type = "FP32";
  sample.file = *ValidSha256();
  sample.size_bytes = Integer<uint64_t>(1, kMaxSampleBytes);
  return sample;
}

} // namespace

rc::Gen<Model> ValidModel() {
  return rc::gen::exec([] {
    Model model;
    model.name = *ValidName();
    model.version = *ValidVersion();
    std::set<ModelFormat> formats{AnyFormat(), AnyFormat(), AnyFormat()};
    for (const ModelFormat format : formats) {
      model.variants.push_back({format, *ValidSha256(), Integer<uint64_t>(1, kMaxModelFileBytes)});
    }
    model.imported_at = *AnyWallTime();
    for (const char* name : {"x", "serving_default_y:0"})
      if (*rc::gen::arbitrary<bool>()) model.samples.push_back(AnySample(name));
    return model;
  });
}

rc::Gen<Profile> ValidProfile() {
  return rc::gen::exec([] {
    Profile profile;
    profile.model = *ValidModelId();
    profile.format = AnyFormat();
    profile.device_type = *ValidLabel();
    profile.service_mean = *DurationBetween(Duration(1), kMaxServiceTime);
    profile.service_scv = *Amount();
    profile.switch_overhead = *DurationBetween(Duration(0), kMaxServiceTime);
    profile.memory_bytes = Integer<uint64_t>(0, kMaxMemoryBytes);
    profile.memory_per_app_bytes = Integer<uint64_t>(0, kMaxMemoryBytes);
    profile.runs = Integer<uint32_t>(1, UINT32_MAX);
    profile.emulated = *rc::gen::arbitrary<bool>();
    profile.measured_at = *AnyWallTime();
    return profile;
  });
}

rc::Gen<Application> ValidApplication() {
  return rc::gen::exec([] {
    Application app;
    app.name = AnyApp();
    app.model = *rc::gen::oneOf(ValidName(), rc::gen::map(ValidModelId(), [](const ModelId& id) { return id.str(); }));
    app.tenant = *ValidName();
    app.priority = Integer(0, 100);
    app.rate_rps = *DoubleBetween(DBL_TRUE_MIN, kMaxRateRps);
    app.rate_source = *rc::gen::element(RateSource::kDeclaredOrMeasured, RateSource::kMeasured);
    app.arrival = AnyArrival();
    app.objective = {AnyStatistic(), *DurationBetween(Duration(1), kMaxLatency)};
    app.network_allowance = *DurationBetween(Duration(0), app.objective.latency - Duration(1));
    app.preprocess = *DurationBetween(Duration(0), kMaxLatency);
    const std::set<DeviceKind> kinds{AnyDeviceKind(), AnyDeviceKind(), AnyDeviceKind()};
    if (*rc::gen::arbitrary<bool>()) app.device_kinds.assign(kinds.rbegin(), kinds.rend());
    return app;
  });
}

rc::Gen<DeviceSpec> ValidDeviceSpec() {
  return rc::gen::exec([] {
    DeviceSpec device;
    device.node = NodeId(*ValidName());
    device.name = *ValidName();
    device.kind = AnyDeviceKind();
    device.discipline = *rc::gen::element(Discipline::kFifo, Discipline::kTimeShared);
    device.engine = *rc::gen::element(EngineKind::kTflite, EngineKind::kOnnx, EngineKind::kEmulated);
    device.type = *ValidLabel();
    device.memory_bytes = Integer<uint64_t>(1, kMaxMemoryBytes);
    const std::set<int> cores{Integer(0, kMaxCores - 1), Integer(0, kMaxCores - 1)};
    if (*rc::gen::arbitrary<bool>()) device.cores.assign(cores.rbegin(), cores.rend());
    return device;
  });
}

rc::Gen<NodeInfo> ValidNodeInfo() {
  return rc::gen::exec([] {
    NodeInfo node;
    node.id = NodeId(*ValidName());
    node.boot = BootId(*ValidName());
    node.version = *rc::gen::oneOf(ValidLabel(), rc::gen::just(std::string()));
    if (*rc::gen::arbitrary<bool>()) node.grpc_address = *ValidName() + ":" + std::to_string(Integer(1, 65535));
    if (*rc::gen::arbitrary<bool>()) node.rest_address = *ValidName() + ":" + std::to_string(Integer(1, 65535));
    node.cpu_cores = Integer<uint32_t>(1, kMaxCores);
    node.core_speed = *DoubleBetween(1e-3, 1e3);
    for (const AppId& name : DistinctIds(AppIds(), 1)) { // any distinct names
      DeviceSpec device = *ValidDeviceSpec();
      device.node = node.id;
      device.name = name.str();
      node.devices.push_back(std::move(device));
    }
    return node;
  });
}

} // namespace avocet

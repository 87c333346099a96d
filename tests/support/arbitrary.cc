#include "tests/support/arbitrary.h"

#include <algorithm>
#include <cfloat>
#include <limits>
#include <map>
#include <set>

namespace avocet {
namespace {

constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr size_t kMaxElements = 4; // of generated lists: enough for order and duplicates to matter

std::string Characters(std::string_view from, size_t length) {
  return *rc::gen::container<std::string>(length, rc::gen::elementOf(std::string(from)));
}

/// From `low` to `high`, both included.
template <class T> T Integer(T low, T high) {
  if (low == high) return low;
  return *rc::gen::oneOf(rc::gen::element(low, high), rc::gen::resize(100, rc::gen::inRange<T>(low, high)));
}

uint64_t AnyCount() {
  return *rc::gen::oneOf(rc::gen::arbitrary<uint64_t>(), rc::gen::element(uint64_t{0}, UINT64_MAX));
}
uint64_t PositiveCount() {
  return std::max<uint64_t>(1, AnyCount());
}
uint64_t AnyEpoch() {
  return std::min(PositiveCount(), kMaxEpoch);
}
size_t ListLength(size_t least, size_t most = kMaxElements) {
  return Integer(least, most);
}

void AppendUtf8(uint32_t code, std::string& out) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string Utf8(size_t length, uint32_t first) {
  std::string text;
  for (size_t i = 0; i < length; ++i) {
    const uint32_t last = *rc::gen::element<uint32_t>(0x7E, 0x7FF, 0xD7FF, 0x10FFFF);
    const uint32_t code = Integer(first, last);
    AppendUtf8(code >= 0xD800 && code <= 0xDFFF ? 0xE000 : code, text);
  }
  return text;
}

ModelFormat AnyFormat() {
  return *rc::gen::element(ModelFormat::kTflite, ModelFormat::kOnnx, ModelFormat::kEmulated);
}
DeviceKind AnyDeviceKind() {
  return *rc::gen::element(DeviceKind::kCpu, DeviceKind::kGpu, DeviceKind::kEdgeTpu);
}
Statistic AnyStatistic() {
  return *rc::gen::element(Statistic::kMean, Statistic::kP50, Statistic::kP95, Statistic::kP99);
}
Duration NonNegative() {
  return *DurationBetween(Duration::zero(), Duration::max());
}
AppId AnyApp() {
  return AppId(*ValidName());
}

/// Distinct ids, ascending.
template <class IdType> std::vector<IdType> DistinctIds(const rc::Gen<IdType>& gen, size_t least = 0) {
  std::set<IdType> ids;
  const size_t length = ListLength(least);
  while (ids.size() < length)
    ids.insert(*gen);
  return {ids.begin(), ids.end()};
}

rc::Gen<AppId> AppIds() {
  return rc::gen::map(ValidName(), [](std::string name) { return AppId(std::move(name)); });
}

Moments AnyMoments() {
  if (*rc::gen::arbitrary<bool>()) return {};
  return {.count = PositiveCount(), .sum = *Amount(), .sum2 = *Amount()};
}

Estimate AnyEstimate() {
  return {.mean = *Amount(), .scv = *Amount(), .weight = *Amount()};
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

AppLatency AnyLatency(const AppId& app) {
  AppLatency latency;
  latency.app = app;
  latency.statistic = AnyStatistic();
  latency.objective = *DurationBetween(Duration(1), Duration::max());
  if (*rc::gen::arbitrary<bool>()) latency.before = NonNegative();
  if (*rc::gen::arbitrary<bool>()) latency.after = NonNegative();
  latency.fast = *rc::gen::arbitrary<bool>();
  return latency;
}

Verdict AnyVerdict(const DeviceId& device, bool ok) {
  Verdict verdict;
  verdict.device = device;
  verdict.node = ParseDeviceId(device.str())->node;
  verdict.ok = ok;
  verdict.emulated = *rc::gen::arbitrary<bool>();
  if (!ok) verdict.filter = *rc::gen::elementOf(kFilterKinds);
  verdict.needed = *DoubleBetween(-DBL_MAX / 2, DBL_MAX / 2);
  verdict.found = *DoubleBetween(-DBL_MAX / 2, DBL_MAX / 2);
  verdict.unit = *rc::gen::elementOf(kUnits);
  verdict.detail = *ValidText();
  verdict.utilization_before = *Amount();
  verdict.utilization_after = *Amount();
  verdict.memory_before_bytes = AnyCount();
  verdict.memory_after_bytes = AnyCount();
  verdict.memory_capacity_bytes = AnyCount();
  for (const AppId& app : DistinctIds(AppIds()))
    verdict.apps.push_back(AnyLatency(app));
  verdict.max_rate_sought = *rc::gen::arbitrary<bool>();
  if (verdict.max_rate_sought) verdict.max_rate_rps = *Amount();
  return verdict;
}

Move AnyMove() {
  const auto devices = *rc::gen::suchThat(rc::gen::pair(ValidDeviceId(), ValidDeviceId()),
                                          [](const auto& pair) { return pair.first != pair.second; });
  return {.app = AnyApp(), .from = devices.first, .to = devices.second};
}

} // namespace

rc::Gen<std::string> ValidName() {
  return rc::gen::exec([] {
    const auto length = Integer<size_t>(0, 62);
    return Characters(kAlphanumeric, 1) + Characters(std::string(kAlphanumeric) + "_.-", length);
  });
}

rc::Gen<std::string> ValidText() {
  return rc::gen::exec([] { return Utf8(Integer<size_t>(0, 100), 0); });
}

rc::Gen<std::string> ValidLabel() {
  return rc::gen::exec([] {
    std::string text = Utf8(Integer<size_t>(1, 64), 0x20);
    std::replace(text.begin(), text.end(), '\x7F', ' ');
    return text;
  });
}

rc::Gen<std::string> ValidVersion() {
  return rc::gen::map(rc::gen::oneOf(rc::gen::inRange<int64_t>(0, 10), rc::gen::just<int64_t>(999'999'999'999'999'999)),
                      [](int64_t version) { return std::to_string(version); });
}

rc::Gen<DeviceId> ValidDeviceId() {
  return rc::gen::exec([] { return MakeDeviceId(NodeId(*ValidName()), *ValidName()); });
}

rc::Gen<ModelId> ValidModelId() {
  return rc::gen::exec([] { return MakeModelId(*ValidName(), *ValidVersion()); });
}

rc::Gen<Sha256> ValidSha256() {
  return rc::gen::exec([] { return Sha256(Characters("0123456789abcdef", 64)); });
}

rc::Gen<WallTime> AnyWallTime() {
  return rc::gen::map(rc::gen::oneOf(rc::gen::arbitrary<int64_t>(), rc::gen::element(INT64_MIN, INT64_MAX)),
                      [](int64_t nanos) { return WallTime(Duration(nanos)); });
}

rc::Gen<Duration> DurationBetween(Duration low, Duration high) {
  return rc::gen::exec([low, high] { return Duration(Integer(low.count(), high.count())); });
}

rc::Gen<double> DoubleBetween(double low, double high) {
  constexpr int64_t kSteps = int64_t{1} << 53;
  const auto inside = rc::gen::map(rc::gen::resize(100, rc::gen::inRange<int64_t>(0, kSteps)), [=](int64_t step) {
    return std::min(high, low + (high - low) * (static_cast<double>(step) / static_cast<double>(kSteps)));
  });
  return rc::gen::oneOf(inside, rc::gen::element(low, high));
}

rc::Gen<double> Amount() {
  return rc::gen::oneOf(rc::gen::element(0.0, DBL_TRUE_MIN, 1e-9, 1.0, DBL_MAX), DoubleBetween(0, 1000));
}

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

rc::Gen<LatencySketch> AnySketch() {
  return rc::gen::exec([] {
    LatencySketch sketch;
    for (size_t i = ListLength(0, 8); i > 0; --i) {
      sketch.AddToBucket(Integer(0, LatencySketch::kBuckets - 1), Integer<uint64_t>(1, LatencySketch::kMaxCount));
    }
    return sketch;
  });
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

rc::Gen<Placement> ValidPlacement() {
  return rc::gen::exec([] {
    Placement placement;
    placement.app = AnyApp();
    placement.device = *ValidDeviceId();
    placement.model = *ValidModelId();
    placement.format = AnyFormat();
    placement.file = *ValidSha256();
    placement.size_bytes = *rc::gen::arbitrary<uint64_t>();
    placement.epoch = AnyEpoch();
    placement.phase = *rc::gen::element(PlacementPhase::kStarting, PlacementPhase::kReady, PlacementPhase::kLost,
                                        PlacementPhase::kFailed);
    const bool has_reason = placement.phase != PlacementPhase::kReady;
    if (has_reason) placement.reason = *ValidText();
    return placement;
  });
}

rc::Gen<Decision> ValidDecision() {
  return rc::gen::exec([] {
    Decision decision;
    decision.kind = *rc::gen::element(DecisionKind::kAdmit, DecisionKind::kReject, DecisionKind::kAdmitWithMoves);
    const bool rejected = decision.kind == DecisionKind::kReject;
    decision.app = *ValidApplication();
    decision.view_version = AnyCount();
    const auto devices = DistinctIds(ValidDeviceId(), rejected ? 0 : 1);
    if (!rejected) decision.device = *rc::gen::elementOf(devices);
    if (!rejected || *rc::gen::arbitrary<bool>()) decision.model = *ValidModelId();
    const size_t moves = decision.kind == DecisionKind::kAdmitWithMoves ? ListLength(1) : 0;
    for (size_t i = 0; i < moves; ++i)
      decision.moves.push_back(AnyMove());
    for (const DeviceId& device : devices) {
      decision.verdicts.push_back(AnyVerdict(device, device == decision.device || *rc::gen::arbitrary<bool>()));
    }
    decision.max_rate_rps = *Amount();
    decision.decided_at = *AnyWallTime();
    decision.policy = *rc::gen::elementOf(kPlacementPolicies);
    return decision;
  });
}

rc::Gen<Command> ValidCommand() {
  return rc::gen::exec([] {
    Command command;
    command.kind = *rc::gen::element(CommandKind::kStart, CommandKind::kStop);
    command.epoch = AnyEpoch();
    command.device = *ValidDeviceId();
    command.app = AnyApp();
    command.format = AnyFormat();
    if (command.kind == CommandKind::kStart || *rc::gen::arbitrary<bool>()) {
      command.model = *ValidModelId();
      command.file = *ValidSha256();
      command.size_bytes = *rc::gen::arbitrary<uint64_t>();
    }
    return command;
  });
}

rc::Gen<Event> ValidEvent() {
  return rc::gen::exec([] {
    Event event;
    event.sequence = AnyCount();
    event.at = *AnyWallTime();
    event.kind = *ValidName();
    event.subject = *rc::gen::oneOf(ValidLabel(), rc::gen::just(std::string()));
    event.detail = *ValidText();
    return event;
  });
}

} // namespace avocet

#include "messages/placement.h"

#include <cmath>
#include <limits>

#include "messages/measurement.h"
#include "messages/text.h"
#include "tests/messages/samples.h"
#include "tests/messages/validate_cases.h"

namespace avocet {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Move kMove{AppId("gate"), DeviceId("jetson-1/gpu0"), DeviceId("jetson-1/cpu0")};

std::string Padded(size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(8 - digits.size(), '0') + digits;
}

std::vector<AppLatency> Latencies(size_t count) {
  std::vector<AppLatency> list(count, {AppId(), Statistic::kP95, Duration(1), {}, {}});
  for (size_t i = 0; i < count; ++i)
    list[i].app = AppId("a" + Padded(i));
  return list;
}

/// Ascending after 'gpu0', so that they can follow the sample's verdicts.
void GrowVerdicts(std::vector<Verdict>& verdicts, size_t count) {
  for (size_t i = 0; verdicts.size() < count; ++i) {
    verdicts.push_back(SampleVerdict("x" + Padded(i), true));
    verdicts.back().apps.clear();
  }
}

TEST(ValidatePlacement, NamesTheFirstBrokenRule) {
  ExpectValidate<Placement>(
      SamplePlacement(),
      {{[](auto& p) { p.app = AppId(); }, "placement '': field 'app'"},
       {[](auto& p) { p.device = DeviceId("gpu0"); }, "placement 'door': field 'device' is 'gpu0'"},
       {[](auto& p) { p.model = ModelId("pose"); }, "field 'model'"},
       {[](auto& p) { p.file = Sha256(); }, "field 'file'"},
       {[](auto& p) { p.epoch = 0; }, "field 'epoch' is 0; it must be >= 1"},
       {[](auto& p) { p.epoch = kMaxEpoch; }, ""},
       {[](auto& p) { p.epoch = kMaxEpoch + 1; }, "field 'epoch'"},
       {[](auto& p) { p.reason = "why"; }, "field 'reason' is 'why'; it must be empty when ready"},
       {[](auto& p) { p.phase = PlacementPhase::kStarting, p.reason = "tried again"; }, ""},
       {[](auto& p) { p.phase = PlacementPhase::kFailed, p.reason = std::string(kMaxTextBytes, 'r'); }, ""},
       {[](auto& p) { p.phase = PlacementPhase::kLost, p.reason = "node away"; }, ""},
       {[](auto& p) { p.phase = PlacementPhase::kFailed, p.reason = std::string(kMaxTextBytes + 1, 'r'); },
        "(4097 bytes); it must be UTF-8 of at most 4096 bytes"},
       {[](auto& p) { p.phase = PlacementPhase::kFailed, p.reason = "\xFF"; }, "field 'reason'"}});
}

TEST(ValidateDecision, TiesKindDeviceModelAndMoves) {
  const auto reject = [](Decision& d) { d.kind = DecisionKind::kReject, d.device.reset(); };
  const auto move = [](Decision& d) { d.kind = DecisionKind::kAdmitWithMoves, d.moves = {kMove}; };
  ExpectValidate<Decision>(
      SampleDecision(),
      {{[](auto& d) { d.device.reset(); }, "decision 'door': decision 'admit': field 'device' is ''; it must be set"},
       {[](auto& d) { d.device = DeviceId("jetson-1/cpu0"); }, "it must be a device whose verdict is ok"},
       {[](auto& d) { d.device = DeviceId("jetson-1/gpu1"); }, "it must be a device whose verdict is ok"},
       {[](auto& d) { d.kind = DecisionKind::kReject; }, "decision 'reject': field 'device' is 'jetson-1/gpu0'"},
       {reject, ""},
       {[=](auto& d) { reject(d), d.model = ModelId(); }, ""},
       {[=](auto& d) { reject(d), d.model = ModelId("pose"); }, "field 'model' is 'pose'"},
       {[](auto& d) { d.model = ModelId(); }, "field 'model' is ''"},
       {[](auto& d) { d.moves = {kMove}; }, "field 'moves' is 1; it must be at least one for admit_with_moves"},
       {[](auto& d) { d.kind = DecisionKind::kAdmitWithMoves; }, "field 'moves' is 0"},
       {move, ""},
       {[=](auto& d) { move(d), d.moves.resize(kMaxMoves, kMove); }, ""},
       {[=](auto& d) { move(d), d.moves.resize(kMaxMoves + 1, kMove); }, "field 'moves' is a list of 4097"},
       {[=](auto& d) { move(d), d.moves[0].app = AppId(); }, "move '': field 'app'"},
       {[=](auto& d) { move(d), d.moves[0].from = DeviceId("x"); }, "move 'gate': field 'from' is 'x'"},
       {[=](auto& d) { move(d), d.moves[0].to = DeviceId("x"); }, "field 'to' is 'x'"},
       {[=](auto& d) { move(d), d.moves[0].to = d.moves[0].from; }, "it must be another device than from"}});
}

TEST(ValidateDecision, ChecksItsApplicationRateAndVerdictOrder) {
  ExpectValidate<Decision>(
      SampleDecision(),
      {{[](auto& d) { d.app.rate_rps = 0; }, "decision 'door': application 'door': field 'rate_rps'"},
       {[](auto& d) { d.max_rate_rps = kInfinity; }, "field 'max_rate_rps' is inf"},
       {[](auto& d) { d.max_rate_rps = -1; }, "field 'max_rate_rps' is -1"},
       {[](auto& d) { std::swap(d.verdicts[0], d.verdicts[1]); }, "field 'verdicts' is not in order of device"},
       {[](auto& d) { d.verdicts.push_back(d.verdicts[1]); }, "field 'verdicts' is not in order of device"},
       {[](auto& d) { GrowVerdicts(d.verdicts, kMaxVerdicts); }, ""},
       {[](auto& d) { GrowVerdicts(d.verdicts, kMaxVerdicts + 1); }, "field 'verdicts' is a list of 65537"}});
}

/// Cases that change the refused verdict of the sample.
TEST(ValidateDecision, ChecksEachVerdict) {
  const auto verdict = [](auto change) { return [=](Decision& d) { change(d.verdicts[0]); }; };
  ExpectValidate<Decision>(
      SampleDecision(),
      {{verdict([](Verdict& v) { v.device = DeviceId("cpu0"); }), "verdict 'cpu0': field 'device'"},
       {verdict([](Verdict& v) { v.node = NodeId("n2"); }), "verdict 'jetson-1/cpu0': field 'node' is 'n2'"},
       {verdict([](Verdict& v) { v.filter.reset(); }), "field 'filter' is ''"},
       {verdict([](Verdict& v) { v.ok = true; }),
        "field 'filter' is 'memory'; it must be empty for a device that is ok"},
       {verdict([](Verdict& v) { v.needed = kInfinity; }), "field 'needed' is inf"},
       {verdict([](Verdict& v) { v.found = NAN; }), "field 'found' is nan"},
       {verdict([](Verdict& v) { v.needed = -1, v.found = -2; }), ""},
       {verdict([](Verdict& v) { v.detail = std::string(kMaxTextBytes, 'd'); }), ""},
       {verdict([](Verdict& v) { v.detail = std::string(kMaxTextBytes + 1, 'd'); }), "field 'detail'"},
       {verdict([](Verdict& v) { v.utilization_before = -0.1; }), "field 'utilization_before'"},
       {verdict([](Verdict& v) { v.utilization_after = kInfinity; }), "field 'utilization_after' is inf"},
       {verdict([](Verdict& v) { v.utilization_after = 1.7; }), ""},
       {verdict([](Verdict& v) { v.max_rate_rps = NAN; }), "field 'max_rate_rps'"}});
}

TEST(ValidateDecision, ChecksEachLatencyOfAVerdict) {
  const auto apps = [](auto change) { return [=](Decision& d) { change(d.verdicts[1].apps); }; };
  ExpectValidate<Decision>(
      SampleDecision(),
      {{apps([](auto& a) { a = Latencies(kMaxAppsPerDevice); }), ""},
       {apps([](auto& a) { a = Latencies(kMaxAppsPerDevice + 1); }), "field 'apps' is a list of 4097"},
       {apps([](auto& a) { std::swap(a[0], a[1]); }), "field 'apps' is not in order of name"},
       {apps([](auto& a) { a[1] = a[0]; }), "field 'apps' is not in order of name"},
       {apps([](auto& a) { a[0].app = AppId(); }), "application '': field 'app'"},
       {apps([](auto& a) { a[0].objective = Duration(0); }), "application 'door': field 'objective' is 0 ms"},
       {apps([](auto& a) { a[0].before = Duration(0); }), ""},
       {apps([](auto& a) { a[0].before = Duration(-1); }), "field 'before'"},
       {apps([](auto& a) { a[0].after = Duration(-1); }), "field 'after'"}});
}

} // namespace
} // namespace avocet

#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "messages/codec/codec.h"

/// RapidCheck generators of valid values: every one passes Validate, and the limits of ranges come up
/// often. `const auto app = *rc::gen::arbitrary<Application>();` or a parameter of RC_GTEST_PROP.
namespace avocet {

rc::Gen<std::string> ValidName();
/// UTF-8 of up to about 400 bytes, any character, also none.
rc::Gen<std::string> ValidText();
/// 1 to 256 bytes of UTF-8 without control characters.
rc::Gen<std::string> ValidLabel();
rc::Gen<std::string> ValidVersion();
rc::Gen<DeviceId> ValidDeviceId();
rc::Gen<ModelId> ValidModelId();
rc::Gen<Sha256> ValidSha256();
rc::Gen<WallTime> AnyWallTime();
/// Within [low, high], both often.
rc::Gen<Duration> DurationBetween(Duration low, Duration high);
rc::Gen<double> DoubleBetween(double low, double high);
/// Finite and >= 0.
rc::Gen<double> Amount();

rc::Gen<Model> ValidModel();
rc::Gen<Profile> ValidProfile();
rc::Gen<Application> ValidApplication();
rc::Gen<DeviceSpec> ValidDeviceSpec();
rc::Gen<NodeInfo> ValidNodeInfo();
rc::Gen<LatencySketch> AnySketch();
rc::Gen<TotalsSlot> ValidTotalsSlot();
rc::Gen<MeasurementWindow> ValidMeasurementWindow();
rc::Gen<DeviceFit> ValidDeviceFit();
rc::Gen<Placement> ValidPlacement();
rc::Gen<Decision> ValidDecision();
rc::Gen<Command> ValidCommand();
rc::Gen<Event> ValidEvent();

/// How RapidCheck shows a counterexample: as the text of its message.
template <class T>
requires requires(const T& value) {
  ToProto(value);
}
void showValue(const T& value, std::ostream& out) {
  out << ToProto(value).ShortDebugString();
}

} // namespace avocet

namespace rc {

#define AVOCET_ARBITRARY(Type)                                                                                         \
  template <> struct Arbitrary<avocet::Type> {                                                                         \
    static Gen<avocet::Type> arbitrary() { return avocet::Valid##Type(); }                                             \
  };
AVOCET_ARBITRARY(Model)
AVOCET_ARBITRARY(Profile)
AVOCET_ARBITRARY(Application)
AVOCET_ARBITRARY(DeviceSpec)
AVOCET_ARBITRARY(NodeInfo)
AVOCET_ARBITRARY(MeasurementWindow)
AVOCET_ARBITRARY(DeviceFit)
AVOCET_ARBITRARY(TotalsSlot)
AVOCET_ARBITRARY(Placement)
AVOCET_ARBITRARY(Decision)
AVOCET_ARBITRARY(Command)
AVOCET_ARBITRARY(Event)
#undef AVOCET_ARBITRARY

} // namespace rc

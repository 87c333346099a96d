#pragma once

#include <string>
#include <string_view>

#include "avocet/v1/records.pb.h"
#include "messages/application.h"
#include "messages/command.h"
#include "messages/device.h"
#include "messages/measurement.h"
#include "messages/model.h"
#include "messages/placement.h"
#include "messages/policy.h"
#include "messages/removal.h"
#include "messages/status.h"
#include "messages/totals.h"

namespace avocet {

/// One pair per struct: ToProto never fails; FromProto checks form (known enumerators, present
/// fields) and then Validate, and returns kCorruption with the field's name. Struct and message
/// carry the same facts: FromProto(ToProto(x)) == x for every valid x. Integers of nanoseconds and
/// bytes on the wire.
#define AVOCET_CODEC(Type)                                                                                             \
  v1::Type ToProto(const Type& value);                                                                                 \
  Result<Type> FromProto(const v1::Type& proto);                                                                       \
  /* Bytes of the message, for the disk. */                                                                            \
  std::string Encode(const Type& value);                                                                               \
  Result<Type> Decode(std::string_view bytes, const Type* /*tag*/);

AVOCET_CODEC(SampleInput)
AVOCET_CODEC(Model)
AVOCET_CODEC(Profile)
AVOCET_CODEC(Application)
AVOCET_CODEC(DeviceSpec)
AVOCET_CODEC(NodeInfo)
AVOCET_CODEC(MeasurementWindow)
AVOCET_CODEC(DeviceFit)
AVOCET_CODEC(TotalsSlot)
AVOCET_CODEC(Placement)
AVOCET_CODEC(PlacementOptions)
AVOCET_CODEC(Decision)
AVOCET_CODEC(Command)
AVOCET_CODEC(Event)
AVOCET_CODEC(Removal)
#undef AVOCET_CODEC

/// Parts that the messages of several services are made of. Form only.
v1::Moments ToProto(const Moments& moments);
v1::LatencySketch ToProto(const LatencySketch& sketch);
v1::Estimate ToProto(const Estimate& estimate);
v1::Move ToProto(const Move& move);
Move FromProto(const v1::Move& proto);
Result<Moments> FromProto(const v1::Moments& proto);
Result<LatencySketch> FromProto(const v1::LatencySketch& proto);
v1::AppTotals ToProto(const AppTotals& totals);
Result<AppTotals> FromProto(const v1::AppTotals& proto);
Result<Estimate> FromProto(const v1::Estimate& proto);

/// Decode<Model>(bytes).
template <class T> Result<T> Decode(std::string_view bytes) {
  return Decode(bytes, static_cast<const T*>(nullptr));
}

} // namespace avocet

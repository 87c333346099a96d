#pragma once

#include "actors/interfaces.h"
#include "actors/wire/control_table.h"
#include "avocet/v1/control.pb.h"
#include "messages/codec/codec.h"
#include "messages/status.h"

namespace avocet {

/// Requests and replies of the Control service: struct <-> proto. FromProto checks form, and the
/// contained structs by their own Validate; errors are kInvalidArgument or kCorruption.
#define AVOCET_CONTROL_CODEC(Struct, Proto)                                                                            \
  v1::Proto ToProto(const Struct& value);                                                                              \
  Result<Struct> FromProto(const v1::Proto& proto);

// The requests, and the structs that only replies hold; the other replies are in messages/codec/codec.h.
#define AVOCET_CONTROL_REQUEST(Message, Reply) AVOCET_CONTROL_CODEC(Message, Message##Request)
AVOCET_EACH_CONTROL_RPC(AVOCET_CONTROL_REQUEST)
AVOCET_CONTROL_CODEC(NodeStatus, NodeStatus)
AVOCET_CONTROL_CODEC(DeviceStatus, DeviceStatus)
AVOCET_CONTROL_CODEC(ModelStatus, ModelStatus)
AVOCET_CONTROL_CODEC(LatencySummary, LatencySummary)
AVOCET_CONTROL_CODEC(VersionInfo, VersionInfo)
AVOCET_CONTROL_CODEC(NodeList, NodeList)
AVOCET_CONTROL_CODEC(AdoptedNode, AdoptedNode)
AVOCET_CONTROL_CODEC(DeviceList, DeviceList)
AVOCET_CONTROL_CODEC(ModelChunkStored, ModelChunkStored)
AVOCET_CONTROL_CODEC(ModelChunk, ModelChunk)
AVOCET_CONTROL_CODEC(ModelList, ModelList)
AVOCET_CONTROL_CODEC(ProfileList, ProfileList)
AVOCET_CONTROL_CODEC(AppList, AppList)
AVOCET_CONTROL_CODEC(AppStatus, AppStatus)
AVOCET_CONTROL_CODEC(RemovedApp, RemovedApp)
AVOCET_CONTROL_CODEC(RebalancePlan, RebalancePlan)
AVOCET_CONTROL_CODEC(EventList, EventList)
#undef AVOCET_CONTROL_REQUEST
#undef AVOCET_CONTROL_CODEC

} // namespace avocet

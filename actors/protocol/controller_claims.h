#pragma once

#include <cstdint>
#include <span>

#include "messages/command.h"
#include "messages/device.h"
#include "messages/model.h"
#include "messages/reports.h"
#include "messages/status.h"

/// What a controller may say to an agent: the counterpart of agent_claims.h. A controller's certificate may have been
/// stolen, too, and a newer controller may err: it speaks to this node about the devices that this node registered, in
/// bounded lists, with numbers that can be shown and counted with. Pure: no actor, no clock. A refusal names the field,
/// its value and what would be right: kInvalidArgument, or kNotFound where the device is not of this node.
namespace avocet {

/// Longest response time that may be predicted: as long as a queue may be in a model that is nearly not stable.
inline constexpr Duration kMaxPredictedLatency = std::chrono::hours(24 * 365);

/// A command as of Validate, for a device of this node.
Status CheckCommand(const NodeInfo& self, const Command& command);

/// A model's file that the device's engine reads, to be measured there.
Status CheckProfileOrder(const NodeInfo& self, const DeviceId& device, const ModelId& model, const Variant& variant);

/// Predictions and limits of a device's applications.
Status CheckPredictions(const NodeInfo& self, const DeviceId& device, std::span<const PredictedLatency> apps,
                        std::span<const JudgedLatency> objectives);

/// That windows of a boot of this node were counted.
Status CheckAck(const NodeInfo& self, const DeviceId& device, const BootId& boot, uint64_t sequence);

/// The number of a request, and the first one that has no answer yet.
Status CheckRequestId(uint64_t id, uint64_t oldest_id);

} // namespace avocet

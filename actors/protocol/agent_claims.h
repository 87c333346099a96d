#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "actors/protocol/window_buffer.h"
#include "messages/command.h"
#include "messages/device.h"
#include "messages/measurement.h"
#include "messages/model.h"
#include "messages/status.h"

/// What an agent may say: the one place where it is checked, whether the agent is in this process or at the other end
/// of a link. An agent's certificate may have been stolen, so nothing that it says is trusted: it speaks of its own
/// node and of the devices that it registered, in bounded lists, with numbers that no arithmetic of ours turns into
/// nonsense. What passes can be put into records, and read back. Pure: no actor, no clock. A refusal names the field,
/// its value and what would be right: kInvalidArgument, or kDenied where the agent speaks for others.
namespace avocet {

/// Applications that an agent may report as running when it registers.
inline constexpr size_t kMaxRunningApps = 16384;
/// Measurement windows in one message; more than a WindowBuffer has in flight for a node's devices.
inline constexpr size_t kMaxWindowsPerReport = 8192;
/// Longest window: nothing closes one while its agent is suspended.
inline constexpr Duration kMaxWindowLength = std::chrono::hours(24 * 365);
/// Requests of one kind that a window may count.
inline constexpr uint64_t kMaxWindowRequests = uint64_t{1} << 32;
/// Longest time that a window's sample may hold, in seconds: 31 years, for arrivals that are that far apart.
inline constexpr double kMaxSampleSeconds = 1e9;
/// Shortest one but 0: clocks count nanoseconds.
inline constexpr double kMinSampleSeconds = 1e-9;
/// Largest number of a window. Leaves room to count on.
inline constexpr uint64_t kMaxWindowSequence = (uint64_t{1} << 63) - 1;
/// Largest epoch that an agent may claim on its own word. The controller goes on above what agents claim, as it may
/// have been restored from an old copy; from here it can count on for as long as it counted to get here (kMaxEpoch).
inline constexpr uint64_t kMaxClaimedEpoch = uint64_t{1} << 62;

/// Who a message is from: both are names.
Status CheckSpeaker(const NodeId& node, const BootId& boot);

/// An introduction: the node as of Validate; what runs, as of CheckReport, no application twice on a device.
Status CheckRegistration(const NodeInfo& node, std::span<const Placement> running);

/// What runs on a device that the speaker registered.
Status CheckReport(const NodeInfo& speaker, const Placement& running);

/// An epoch at most kMaxClaimedEpoch, or one that the controller handed out itself (`last_epoch` and before).
Status CheckEpoch(const Placement& running, uint64_t last_epoch);

/// The largest epoch that an agent says it has seen, as of CheckEpoch; 0: none yet.
Status CheckHighestEpoch(const NodeInfo& speaker, uint64_t highest_epoch, uint64_t last_epoch);

/// A number of windows in one message.
Status CheckWindowCount(const NodeInfo& speaker, size_t count);

/// A window of this boot, of a device that the speaker registered, whose numbers could have been measured.
Status CheckWindow(const NodeInfo& speaker, const SentWindow& sent);

/// What a profile was asked for.
struct ProfileAsked {
  ModelId model;
  ModelFormat format = ModelFormat::kTflite;
  std::string device_type;
  bool emulated = false;
};

/// A profile of what was asked, and of nothing else.
Status CheckProfile(const ProfileAsked& asked, const Profile& profile);

} // namespace avocet

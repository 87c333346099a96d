#pragma once

#include <optional>
#include <variant>

#include "actors/interfaces.h"
#include "avocet/v1/link.pb.h"
#include "messages/status.h"

namespace avocet {

/// Version of the link's protocol that this program speaks; another one is refused by name.
inline constexpr uint32_t kLinkProtocol = 1;

/// What a controller asks of an agent.
using LinkRequest = std::variant<RunCommand, ProfileOnDevice>;
/// What came of a LinkRequest.
struct LinkAnswer {
  Status status;
  std::optional<Profile> profile; ///< set when a ProfileOnDevice succeeded
};

/// What an agent says when it registers.
struct LinkHello {
  NodeInfo node;
  std::vector<Placement> running;
  uint64_t instance = 0;      ///< see RegisterAgent
  uint64_t highest_epoch = 0; ///< see RegisterAgent
  uint64_t cluster = 0;       ///< see RegisterAgent
};

// One pair per message. FromProto checks form, and the contained structs by their own Validate; what is
// wrong is kCorruption or kInvalidArgument, and names the field.

v1::Hello ToProto(const LinkHello& hello);
Result<LinkHello> FromProto(const v1::Hello& proto);
v1::SentWindow ToProto(const SentWindow& window);
Result<SentWindow> FromProto(const v1::SentWindow& proto);
v1::WindowAck ToProto(const WindowAck& ack);
Result<WindowAck> FromProto(const v1::WindowAck& proto);
v1::Predictions ToProto(const SetPredictions& predictions);
Result<SetPredictions> FromProto(const v1::Predictions& proto);
/// Body only: the ids are the outbox's.
v1::Request ToProto(const LinkRequest& request);
Result<LinkRequest> FromProto(const v1::Request& proto);
/// Without the id.
v1::Answer ToProto(const LinkAnswer& answer);
Result<LinkAnswer> FromProto(const v1::Answer& proto);

} // namespace avocet

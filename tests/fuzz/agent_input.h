#pragma once

#include <string>
#include <string_view>

namespace avocet {

/// Takes the bytes for a message of an agent (avocet.v1.AgentMessage) of node "n1" with the device "n1/gpu0" and the
/// boot "boot", as a controller would: decode, check, use. What passes the checks must end in records that can be
/// written and read back, and in commands that an agent takes. Returns what does not; empty where all is well.
std::string ProblemWithAgentInput(std::string_view bytes);

/// How far such a message gets, so that a test can tell whether its mutations reach anything.
enum class AgentInputDepth { kUnparsed, kUndecoded, kRefused, kUsed };
AgentInputDepth DepthOfAgentInput(std::string_view bytes);

} // namespace avocet

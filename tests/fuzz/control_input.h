#pragma once

#include <string>
#include <string_view>

namespace avocet {

/// Takes the bytes for a call of Control, as a controller would: decode, check, use. The first byte picks the call, in
/// the order of the table in actors/wire/control_table.h; the others are its request. What passes the checks must end
/// in a decision and records that can be written and read back. Returns what does not; empty where all is well.
std::string ProblemWithControlInput(std::string_view bytes);

/// How far such a request gets, so that a test can tell whether its mutations reach anything.
enum class ControlInputDepth { kUnparsed, kUndecoded, kRefused, kUsed };
ControlInputDepth DepthOfControlInput(std::string_view bytes);

} // namespace avocet

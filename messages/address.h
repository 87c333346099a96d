#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/status.h"

namespace avocet {

/// "host:port" or "[v6]:port".
struct Address {
  std::string host; ///< without brackets
  uint16_t port = 0;
};

Result<Address> ParseAddress(std::string_view text);

/// True for localhost, 127.0.0.0/8 and ::1.
bool IsLoopback(const Address& address);

/// kInvalidArgument unless `text` is a loopback address; `what` names the endpoint in the text.
Status RequireLoopback(std::string_view text, std::string_view what);

/// `text` with its port replaced. Requires that ParseAddress(text).ok().
std::string WithPort(std::string_view text, int port);

} // namespace avocet

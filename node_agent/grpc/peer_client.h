#pragma once

#include <string>
#include <string_view>

namespace avocet {

/// The name under which a client's memory is counted (BudgetShares): that of its address for REST, too. `peer`: as
/// gRPC's context tells it, "ipv4:10.0.0.1:4711" or "ipv6:%5B::1%5D:4711". Another form is a client of its own.
std::string ClientOfPeer(std::string_view peer);

} // namespace avocet

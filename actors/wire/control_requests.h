#pragma once

#include "actors/interfaces.h"
#include "actors/wire/control_table.h"
#include "messages/status.h"

namespace avocet {

// What a client of Control may ask, whatever its role: one overload for each call of the table, so that a new call does
// not compile without a check. Behind it all lists, texts and numbers are bounded. kInvalidArgument names the field,
// its value and what would be right.
#define AVOCET_CHECK_REQUEST(Message, Reply) Status CheckRequest(const Message& request);
AVOCET_EACH_CONTROL_RPC(AVOCET_CHECK_REQUEST)
#undef AVOCET_CHECK_REQUEST

} // namespace avocet

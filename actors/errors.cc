#include "actors/errors.h"

#include <string>

#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

#include "messages/invariant.h"

namespace avocet {
namespace {

const caf::atom_value kCategory = caf::atom("avocet");

bool IsDeadReceiver(const caf::error& error) {
  return error == caf::sec::request_receiver_down || error.category() == caf::atom("exit");
}

} // namespace

caf::error MakeError(const Status& status) {
  AVOCET_CHECK(!status.ok()); // CAF takes code 0 for success: the request would never be answered
  return {static_cast<uint8_t>(status.code()), kCategory, caf::make_message(status.message())};
}

Status ToStatus(const caf::error& error, std::string_view asked) {
  const std::string who(asked);
  if (error.category() == kCategory) {
    return {static_cast<StatusCode>(error.code()), error.context().get_as<std::string>(0)};
  }
  if (error == caf::sec::request_timeout) return DeadlineExceeded(who + " did not answer in time");
  if (IsDeadReceiver(error)) return Unavailable(who + " is not running");
  return Internal(who + " failed inside: " + caf::to_string(error));
}

} // namespace avocet

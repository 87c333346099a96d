#pragma once

#include <string_view>

#include <caf/error.hpp>
#include <caf/typed_response_promise.hpp>

#include "messages/status.h"

namespace avocet {

/// A Status as the error of a reply. Requires !status.ok().
caf::error MakeError(const Status& status);

/// The Status inside an error made by MakeError; otherwise what it means that CAF gave up on the
/// request: kDeadlineExceeded for a timeout, kUnavailable for a dead receiver, else kInternal.
/// `asked` names the neighbour in the text, e.g. "store".
Status ToStatus(const caf::error& error, std::string_view asked);

/// Answers a request with an error. Requires !status.ok().
template <class T> void Refuse(caf::typed_response_promise<T>& promise, const Status& status) {
  promise.deliver(MakeError(status));
}

} // namespace avocet

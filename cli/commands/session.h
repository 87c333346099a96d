#pragma once

#include <memory>
#include <optional>
#include <string>

#include "actors/interfaces.h"
#include "actors/wire/control_table.h"
#include "messages/status.h"
#include "messages/tls/tls.h"
#include "messages/units.h"

namespace avocet {

struct SessionOptions {
  std::string address;
  Duration deadline = std::chrono::minutes(5); ///< of one request
  std::optional<TlsOptions> tls;               ///< absent: plain text, to loopback only
};

struct Context;
/// The session that the flags ask for. Beyond loopback, without certificates among the flags: the only admin's
/// certificate of DefaultTlsDir().
SessionOptions SessionOf(const Context& context);

/// The CLI's side of a conversation with a controller: an actor client. Not thread-safe.
class Session {
public:
  explicit Session(const SessionOptions& options);
  ~Session();

  /// Sends one message and waits for its answer: `Ask(ListNodes{})` gives a Result<NodeList>.
#define AVOCET_ASK(Message, Reply) Result<Reply> Ask(const Message& message);
  AVOCET_EACH_CONTROL_RPC(AVOCET_ASK)
#undef AVOCET_ASK

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet

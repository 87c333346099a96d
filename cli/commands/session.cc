#include "cli/commands/session.h"

#include "actors/actor_system.h"
#include "actors/ask.h"
#include "actors/wire/control_client.h"
#include "cli/commands/context.h"
#include "cli/process/paths.h"
#include "messages/address.h"

namespace avocet {
namespace {

/// The RPC gives up first, with the better text.
constexpr Duration kGrace = std::chrono::seconds(1);

} // namespace

struct Session::Impl {
  explicit Impl(const SessionOptions& session_options)
      : options(session_options),
        controller(ConnectController(system, {options.address, options.deadline, options.tls})) {}

  template <class Reply, class Message> Result<Reply> Ask(const Message& message) {
    return AskAndWait<Reply>(system, controller, message, options.deadline + kGrace, "controller " + options.address);
  }

  SessionOptions options;
  ActorSystemConfig config{1};
  caf::actor_system system{config};
  control_actor controller;
};

SessionOptions SessionOf(const Context& context) {
  SessionOptions options{context.address, context.timeout, context.tls};
  const auto address = ParseAddress(context.address);
  if (!options.tls && address.ok() && !IsLoopback(*address)) options.tls = DefaultAdminCertificate();
  return options;
}

Session::Session(const SessionOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Session::~Session() = default;

#define AVOCET_ASK(Message, Reply)                                                                                     \
  Result<Reply> Session::Ask(const Message& message) {                                                                 \
    return impl_->Ask<Reply>(message);                                                                                 \
  }
AVOCET_EACH_CONTROL_RPC(AVOCET_ASK)
#undef AVOCET_ASK

} // namespace avocet

#include "cli/session.h"

#include <caf/scoped_actor.hpp>

#include "actors/actor_system.h"
#include "actors/control_client.h"
#include "actors/errors.h"

namespace avocet {
namespace {

/// The RPC gives up first, with the better text.
constexpr Duration kGrace = std::chrono::seconds(1);

} // namespace

struct Session::Impl {
  explicit Impl(const SessionOptions& session_options)
      : options(session_options), controller(ConnectController(system, {options.address, options.deadline})) {}

  template <class Reply, class Message> Result<Reply> Ask(const Message& message) {
    Result<Reply> reply = Internal("no answer");
    caf::scoped_actor self(system);
    self->request(controller, options.deadline + kGrace, message)
        .receive([&](Reply& answer) { reply = std::move(answer); },
                 [&](const caf::error& error) { reply = ToStatus(error, "controller " + options.address); });
    return reply;
  }

  SessionOptions options;
  ActorSystemConfig config{1};
  caf::actor_system system{config};
  control_actor controller;
};

Session::Session(const SessionOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Session::~Session() = default;

#define AVOCET_ASK(Rpc, Message, Reply, RequestProto, ReplyProto)                                                      \
  Result<Reply> Session::Ask(const Message& message) {                                                                 \
    return impl_->Ask<Reply>(message);                                                                                 \
  }
AVOCET_EACH_CONTROL_RPC(AVOCET_ASK)
#undef AVOCET_ASK

} // namespace avocet

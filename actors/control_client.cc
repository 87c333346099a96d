#include "actors/control_client.h"

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <grpcpp/create_channel.h>

#include "actors/control_codec.h"
#include "actors/control_table.h"
#include "actors/errors.h"
#include "actors/rpc_status.h"
#include "avocet/v1/control.grpc.pb.h"

namespace avocet {
namespace {

struct ProxyState {
  static inline const char* name = "control_client";
  std::unique_ptr<v1::Control::Stub> stub;
  ControlClientOptions options;
};
using Self = control_actor::stateful_pointer<ProxyState>;

Status WithAddress(const grpc::Status& status, const std::string& address) {
  Status ours = FromRpcStatus(status);
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return ours;
  return ours.WithContext("controller " + address);
}

/// The handler of one message: make the call, answer with its result.
template <class Message, class Reply, class ReplyProto, class Call> auto Forward(Self self, Call call) {
  return [self, call](const Message& message) -> caf::result<Reply> {
    const auto& state = self->state;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + state.options.deadline);
    ReplyProto proto;
    const grpc::Status status = call(*state.stub, &context, ToProto(message), &proto);
    if (!status.ok()) return MakeError(WithAddress(status, state.options.address));
    auto reply = FromProto(proto);
    if (!reply.ok()) return MakeError(reply.status());
    return std::move(*reply);
  };
}

/// Takes a leading 0, so that every line of the table may begin with a comma.
template <class... Handlers> control_actor::behavior_type MakeBehavior(int, Handlers... handlers) {
  return {std::move(handlers)...};
}

control_actor::behavior_type ProxyBehavior(Self self, const ControlClientOptions& options) {
  self->state.options = options;
  self->state.stub = v1::Control::NewStub(grpc::CreateChannel(options.address, grpc::InsecureChannelCredentials()));
#define AVOCET_FORWARD(Rpc, Message, Reply, RequestProto, ReplyProto)                                                  \
  , Forward<avocet::Message, avocet::Reply, v1::ReplyProto>(                                                           \
        self, [](v1::Control::Stub& stub, grpc::ClientContext* context, const v1::RequestProto& request,               \
                 v1::ReplyProto* reply) { return stub.Rpc(context, request, reply); })
  return MakeBehavior(0 AVOCET_EACH_CONTROL_RPC(AVOCET_FORWARD));
#undef AVOCET_FORWARD
}

} // namespace

// Blocking calls on a thread of the proxy's own: with gRPC's callbacks, the last reference to the
// channel could go on the channel's own thread, which then waits for itself.
control_actor ConnectController(caf::actor_system& system, const ControlClientOptions& options) {
  return system.spawn<caf::detached>(ProxyBehavior, options);
}

} // namespace avocet

#include "actors/wire/control_client.h"

#include <caf/actor_system.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <grpcpp/create_channel.h>

#include "actors/errors.h"
#include "actors/wire/control_codec.h"
#include "actors/wire/control_table.h"
#include "actors/wire/rpc_failure.h"
#include "actors/wire/rpc_status.h"
#include "actors/wire/tls_probe.h"
#include "avocet/v1/control.grpc.pb.h"
#include "messages/tls/tls_credentials.h"

namespace avocet {
namespace {

struct ProxyState {
  static inline const char* name = "control_client";
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Control::Stub> stub;
  Status credentials; ///< why there is no stub
  ControlClientOptions options;
};
using Self = control_actor::stateful_pointer<ProxyState>;

Status Explain(const grpc::Status& status, const ControlClientOptions& options, grpc::Channel& channel,
               const char* asked) {
  const RpcAttempt attempt{.address = options.address,
                           .tls = options.tls.has_value(),
                           .asked = asked,
                           .deadline = options.deadline,
                           .connected = channel.GetState(false) == GRPC_CHANNEL_READY};
  if (auto explained = ExplainRpcFailure(status, attempt, SpeaksTls)) return *std::move(explained);

  Status ours = FromRpcStatus(status);
  if (ours.code() != StatusCode::kUnavailable) return ours;
  return ours.WithContext("controller " + options.address);
}

/// The handler of one message: make the call, answer with its result.
template <class Message, class Reply, class ReplyProto, class Call>
auto Forward(Self self, const char* asked, Call call) {
  return [self, asked, call](const Message& message) -> caf::result<Reply> {
    const auto& state = self->state;
    if (!state.credentials.ok()) return MakeError(state.credentials);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + state.options.deadline);
    ReplyProto proto;
    const grpc::Status status = call(*state.stub, &context, ToProto(message), &proto);
    if (!status.ok()) return MakeError(Explain(status, state.options, *state.channel, asked));
    auto reply = FromProto(proto);
    if (!reply.ok()) return MakeError(reply.status());
    return std::move(*reply);
  };
}

/// Takes a leading 0, so that every line of the table may begin with a comma.
template <class... Handlers> control_actor::behavior_type MakeBehavior(int, Handlers... handlers) {
  return {std::move(handlers)...};
}

Result<std::shared_ptr<grpc::Channel>> MakeChannel(const ControlClientOptions& options) {
  AVOCET_ASSIGN_OR_RETURN(auto credentials, MakeChannelCredentials(options.tls, options.address));
  return grpc::CreateChannel(options.address, credentials);
}

control_actor::behavior_type ProxyBehavior(Self self, const ControlClientOptions& options) {
  self->state.options = options;
  auto channel = MakeChannel(options);
  self->state.credentials = channel.status();
  if (channel.ok()) {
    self->state.channel = *channel;
    self->state.stub = v1::Control::NewStub(*channel);
  }
#define AVOCET_FORWARD(Message, Reply)                                                                                 \
  , Forward<avocet::Message, avocet::Reply, v1::Reply>(                                                                \
        self, #Message,                                                                                                \
        [](v1::Control::Stub& stub, grpc::ClientContext* context, const v1::Message##Request& request,                 \
           v1::Reply* reply) { return stub.Message(context, request, reply); })
  return MakeBehavior(0 AVOCET_EACH_CONTROL_RPC(AVOCET_FORWARD), [](const WaitForEvents&) -> caf::result<EventList> {
    return MakeError(Unsupported("events of a remote controller come from WatchEvents"));
  });
#undef AVOCET_FORWARD
}

} // namespace

// Blocking calls on a thread of the proxy's own: with gRPC's callbacks, the last reference to the
// channel could go on the channel's own thread, which then waits for itself.
control_actor ConnectController(caf::actor_system& system, const ControlClientOptions& options) {
  return system.spawn<caf::detached>(ProxyBehavior, options);
}

Status WatchEvents(const ControlClientOptions& options, uint64_t after_sequence,
                   const std::function<void(const Event&)>& on_event, const std::stop_token& stop) {
  AVOCET_ASSIGN_OR_RETURN(const auto channel, MakeChannel(options));
  const auto stub = v1::Control::NewStub(channel);
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  v1::WatchEventsRequest request;
  request.set_after_sequence(after_sequence);
  const auto reader = stub->WatchEvents(&context, request);
  v1::Event proto;
  Status malformed;
  while (malformed.ok() && reader->Read(&proto)) {
    const auto event = FromProto(proto);
    malformed = event.status();
    if (event.ok()) on_event(*event);
  }
  if (!malformed.ok()) context.TryCancel();
  const auto status = reader->Finish();
  if (!malformed.ok()) return malformed;
  if (status.ok()) return Unavailable("controller " + options.address + " ended the stream of events");
  return Explain(status, options, *channel, "WatchEvents");
}

} // namespace avocet

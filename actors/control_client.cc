#include "actors/control_client.h"

#include <functional>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <grpcpp/create_channel.h>

#include "actors/control_codec.h"
#include "actors/control_table.h"
#include "actors/errors.h"
#include "actors/rpc_status.h"
#include "avocet/v1/control.grpc.pb.h"

namespace avocet {

/// A call came back on one of gRPC's threads; `deliver` answers its sender, inside the actor.
struct CallReturned { std::function<void()> deliver; };

} // namespace avocet

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::CallReturned)

namespace avocet {
namespace {

using proxy_actor = control_actor::extend<caf::reacts_to<CallReturned>>;

struct ProxyState {
  static inline const char* name = "control_client";
  std::unique_ptr<v1::Control::Stub> stub;
  ControlClientOptions options;
};
using Self = proxy_actor::stateful_pointer<ProxyState>;

Status WithAddress(const grpc::Status& status, const std::string& address) {
  const Status ours = FromRpcStatus(status);
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return ours;
  return ours.WithContext("controller " + address);
}

/// What one call needs until it returns.
template <class RequestProto, class ReplyProto> struct Call {
  grpc::ClientContext context;
  RequestProto request;
  ReplyProto reply;
};

/// The handler of one message: start the RPC, answer when it returns.
template <class Message, class Reply, class RequestProto, class ReplyProto, class Start>
auto Forward(Self self, Start start) {
  return [self, start](const Message& message) -> caf::result<Reply> {
    auto call = std::make_shared<Call<RequestProto, ReplyProto>>();
    call->request = ToProto(message);
    call->context.set_deadline(std::chrono::system_clock::now() + self->state.options.deadline);
    auto promise = self->template make_response_promise<Reply>();
    auto deliver = [call, promise, address = self->state.options.address](const grpc::Status& status) mutable {
      if (!status.ok()) return Refuse(promise, WithAddress(status, address));
      auto reply = FromProto(call->reply);
      if (reply.ok()) promise.deliver(std::move(*reply));
      else Refuse(promise, reply.status());
    };
    auto returned = [proxy = caf::actor_cast<caf::actor>(self), deliver](grpc::Status status) {
      caf::anon_send(proxy, CallReturned{[deliver, status]() mutable { deliver(status); }});
    };
    start(*self->state.stub, *call, returned);
    return promise;
  };
}

proxy_actor::behavior_type ProxyBehavior(Self self, const ControlClientOptions& options) {
  self->state.options = options;
  self->state.stub = v1::Control::NewStub(grpc::CreateChannel(options.address, grpc::InsecureChannelCredentials()));
#define AVOCET_FORWARD(Rpc, Message, Reply, RequestProto, ReplyProto)                                                  \
  Forward<avocet::Message, avocet::Reply, v1::RequestProto, v1::ReplyProto>(                                           \
      self, [](v1::Control::Stub& stub, Call<v1::RequestProto, v1::ReplyProto>& call,                                  \
               const std::function<void(grpc::Status)>& returned) {                                                    \
        stub.async()->Rpc(&call.context, &call.request, &call.reply, returned);                                        \
      }),
  return {AVOCET_EACH_CONTROL_RPC(AVOCET_FORWARD)[](CallReturned& returned) { returned.deliver(); }};
#undef AVOCET_FORWARD
}

} // namespace

control_actor ConnectController(caf::actor_system& system, const ControlClientOptions& options) {
  return system.spawn(ProxyBehavior, options);
}

} // namespace avocet

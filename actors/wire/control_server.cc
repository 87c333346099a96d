#include "actors/wire/control_server.h"

#include <future>
#include <set>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "actors/wire/call_gate.h"
#include "actors/wire/control_codec.h"
#include "actors/wire/control_requests.h"
#include "actors/wire/control_table.h"
#include "actors/wire/control_watch.h"
#include "actors/wire/link_service.h"
#include "actors/wire/rpc_log.h"
#include "actors/wire/rpc_status.h"
#include "avocet/v1/control.grpc.pb.h"
#include "messages/tls/tls_credentials.h"
#include "node_agent/grpc/grpc_port.h"

namespace avocet {

/// One RPC in flight. Only the gateway actor touches it after it was handed over.
class ControlCall {
public:
  ControlCall(grpc::ServerUnaryReactor* reactor, std::unique_ptr<Seat> seat)
      : reactor_(reactor), seat_(std::move(seat)) {}
  virtual ~ControlCall() = default;
  ControlCall(const ControlCall&) = delete;
  ControlCall& operator=(const ControlCall&) = delete;

  /// Asks the controller; `on_end` is called in the actor when the answer went out.
  virtual void Ask(caf::event_based_actor* self, const control_actor& controller, std::function<void()> on_end) = 0;

  void Finish(const grpc::Status& status) {
    if (auto* reactor = std::exchange(reactor_, nullptr); reactor != nullptr) reactor->Finish(status);
  }
  bool finished() const { return reactor_ == nullptr; }

private:
  grpc::ServerUnaryReactor* reactor_;
  std::unique_ptr<Seat> seat_; ///< of the caller, until the call is forgotten
};

struct TakeCall {
  std::shared_ptr<ControlCall> call;
};
struct EndCalls {
  std::shared_ptr<std::promise<void>> ended;
};
/// Time to look at the certificates of open streams.
struct TrustTick {};

} // namespace avocet

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::TakeCall)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::EndCalls)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::TrustTick)

namespace avocet {
namespace {

template <class Message, class Reply, class ReplyProto> class TypedCall : public ControlCall {
public:
  TypedCall(grpc::ServerUnaryReactor* reactor, std::unique_ptr<Seat> seat, Message message, ReplyProto* reply,
            Duration deadline)
      : ControlCall(reactor, std::move(seat)), message_(std::move(message)), reply_(reply), deadline_(deadline) {}

  void Ask(caf::event_based_actor* self, const control_actor& controller, std::function<void()> on_end) override {
    self->request(controller, deadline_, std::move(message_))
        .then(
            [this, on_end](const Reply& reply) {
              if (!finished()) *reply_ = ToProto(reply);
              Finish(grpc::Status::OK);
              on_end();
            },
            [this, on_end](const caf::error& error) {
              Finish(ToRpcStatus(ToStatus(error, "controller")));
              on_end();
            });
  }

private:
  Message message_;
  ReplyProto* reply_;
  Duration deadline_;
};

/// The answer to a call of WatchEvents that is not admitted.
class RefusedStream : public grpc::ServerWriteReactor<v1::Event> {
public:
  explicit RefusedStream(const Status& status) { Finish(ToRpcStatus(status)); }
  void OnDone() override { delete this; }
};

/// What a client may ask: it changes nothing. A new message is for admins until it is named here.
template <class Message> constexpr bool kChangesNothing =
    std::is_same_v<Message, GetVersion> || std::is_same_v<Message, ListNodes> || std::is_same_v<Message, ListDevices> ||
    std::is_same_v<Message, ListModels> || std::is_same_v<Message, PlanApp> || std::is_same_v<Message, ListApps> ||
    std::is_same_v<Message, GetApp> || std::is_same_v<Message, ExplainApp> || std::is_same_v<Message, ListEvents>;

/// Lets a caller in who may ask this, and has not too much under way.
template <class Message> Result<std::unique_ptr<Seat>> Admit(CallGate& gate, const std::shared_ptr<SeatPool>& seats,
                                                             const grpc::CallbackServerContext& context) {
  const auto peer = context.auth_context();
  const auto identity = kChangesNothing<Message> ? gate.Identify(*peer, {Role::kAdmin, Role::kClient})
                                                 : gate.Identify(*peer, {Role::kAdmin});
  auto seat = identity.ok() ? Seat::In(seats, *identity) : Result<std::unique_ptr<Seat>>(identity.status());
  if (!seat.ok()) LogRefusedCall(context.peer(), seat.status());
  return seat;
}

/// The door: what a request says is well-formed and within bounds.
template <class Message, class Proto> Result<Message> ReadRequest(const Proto& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto message, FromProto(proto));
  AVOCET_RETURN_IF_ERROR(CheckRequest(message));
  return message;
}

/// Ends open streams whose certificates are not trusted any more.
caf::behavior TrustSweep(caf::event_based_actor* self, const std::function<void()>& sweep, Duration every) {
  self->delayed_send(self, every, TrustTick{});
  return {[=](TrustTick) {
    sweep();
    self->delayed_send(self, every, TrustTick{});
  }};
}

/// Carries calls from gRPC's threads into the actor world, and answers back.
caf::behavior Gateway(caf::event_based_actor* self, const control_actor& controller) {
  // Shared, as both handlers and the continuation of each call use them.
  auto calls = std::make_shared<std::set<std::shared_ptr<ControlCall>>>();
  auto closed = std::make_shared<bool>(false);
  return {
      [=](const TakeCall& take) {
        // gRPC threads may still hand over calls after EndCalls; left open, they would hold up the server's shutdown.
        if (*closed) return take.call->Finish(ToRpcStatus(Unavailable("the controller is stopping")));
        calls->insert(take.call);
        take.call->Ask(self, controller, [calls, call = take.call] { calls->erase(call); });
      },
      [=](const EndCalls& end) {
        // First of all, so that no call is added behind the ones that are finished here.
        *closed = true;
        for (const auto& call : *calls)
          call->Finish(ToRpcStatus(Unavailable("the controller is stopping")));

        end.ended->set_value();
      },
  };
}

/// Two for the whole server: a list of thousands of applications takes milliseconds to encode, which nobody who changes
/// something is to wait for.
struct Gateways {
  caf::actor changes;
  caf::actor questions;
};

class Service : public v1::Control::CallbackService {
public:
  Service(Gateways gateways, const ControlServerOptions& options, const std::shared_ptr<CallGate>& gate,
          EventWatches& watches)
      : gateways_(std::move(gateways)), max_call_(options.max_call), gate_(gate),
        calls_(std::make_shared<SeatPool>(options.calls)), watchers_(std::make_shared<SeatPool>(options.watches)),
        watches_(watches) {}

  grpc::ServerWriteReactor<v1::Event>* WatchEvents(grpc::CallbackServerContext* context,
                                                   const v1::WatchEventsRequest* request) override {
    auto seat = Admit<avocet::ListEvents>(*gate_, watchers_, *context);
    if (!seat.ok()) return new RefusedStream(seat.status());
    return watches_.Begin(request->after_sequence(), CertificateOf(*context->auth_context()), std::move(*seat));
  }

#define AVOCET_HANDLER(Message, Reply)                                                                                 \
  grpc::ServerUnaryReactor* Message(grpc::CallbackServerContext* context, const v1::Message##Request* request,         \
                                    v1::Reply* reply) override {                                                       \
    return Handle<avocet::Message, avocet::Reply>(context, *request, reply);                                           \
  }
  AVOCET_EACH_CONTROL_RPC(AVOCET_HANDLER)
#undef AVOCET_HANDLER

private:
  template <class Message, class Reply, class RequestProto, class ReplyProto> grpc::ServerUnaryReactor*
  Handle(grpc::CallbackServerContext* context, const RequestProto& request, ReplyProto* reply) {
    auto* reactor = context->DefaultReactor();

    // Before the request is parsed: a peer that may not call learns nothing about what would be valid.
    auto seat = Admit<Message>(*gate_, calls_, *context);
    if (!seat.ok()) {
      reactor->Finish(ToRpcStatus(seat.status()));
      return reactor;
    }

    auto message = ReadRequest<Message>(request);
    if (!message.ok()) {
      reactor->Finish(ToRpcStatus(message.status()));
      return reactor;
    }

    // The gateway finishes the reactor later, on an actor's thread, so no thread of gRPC waits for the controller.
    auto call = std::make_shared<TypedCall<Message, Reply, ReplyProto>>(reactor, std::move(*seat), std::move(*message),
                                                                        reply, Remaining(*context));
    caf::anon_send(kChangesNothing<Message> ? gateways_.questions : gateways_.changes, TakeCall{std::move(call)});
    return reactor;
  }

  Duration Remaining(const grpc::CallbackServerContext& context) const {
    const auto left = context.deadline() - std::chrono::system_clock::now();
    return std::clamp<Duration>(left, Duration(1), max_call_);
  }

  Gateways gateways_;
  Duration max_call_;
  std::shared_ptr<CallGate> gate_;
  std::shared_ptr<SeatPool> calls_;
  std::shared_ptr<SeatPool> watchers_;
  EventWatches& watches_;
};

} // namespace

class ControlServer::Impl {
public:
  Impl(const ControlServerOptions& options, caf::actor_system& system, const controller_actor& controller)
      : options_(options), gate_(std::make_shared<CallGate>(options.tls)),
        system_(system), gateways_{system.spawn(Gateway, caf::actor_cast<control_actor>(controller)),
                                   system.spawn(Gateway, caf::actor_cast<control_actor>(controller))},
        watches_(system, caf::actor_cast<control_actor>(controller)), service_(gateways_, options, gate_, watches_),
        link_({.gate = gate_}, system, controller) {}

  ~Impl() { Stop(); }

  Status Listen() {
    AVOCET_ASSIGN_OR_RETURN(auto credentials, MakeServerCredentials(options_.tls, options_.address));
    // Before the port opens, so that the first refused handshake is logged, too.
    RouteRpcLog();

    grpc::ServerBuilder builder;
    auto port =
        GrpcPort::Open(options_.address,
                       {.name = "control", .limits = options_.connections, .unacknowledged = options_.keepalive_wait},
                       builder, credentials);
    if (!port.ok()) return port.status();

    // Before BuildAndStart, which takes these settings over: one peer must not exhaust memory, streams or connections.
    SetLimits(builder);
    SetKeepalive(builder);

    builder.RegisterService(&service_);
    builder.RegisterService(&link_.service());

    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return Unavailable("cannot serve on '" + options_.address + "': gRPC did not start");

    // The port feeds accepted sockets to the server, so nothing is accepted before the server runs.
    port_ = std::move(*port);
    port_->Serve();
    if (options_.tls)
      sweeper_ = system_.spawn(
          TrustSweep, [this] { EndUntrusted(); }, options_.trust_every);
    return {};
  }

  void Stop() {
    if (stopped_) return;
    stopped_ = true;
    StopSweeper();
    EndCallsOf(gateways_.changes);
    EndCallsOf(gateways_.questions);
    watches_.Stop();
    link_.Stop();
    if (port_ != nullptr) port_->Stop();
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now() + options_.stop_deadline);
    server_.reset();
    for (auto* gateway : {&gateways_.changes, &gateways_.questions}) {
      caf::anon_send_exit(*gateway, caf::exit_reason::user_shutdown);
      *gateway = nullptr;
    }
  }

  const std::string& address() const { return port_->address(); }

private:
  void EndCallsOf(const caf::actor& gateway) const {
    auto ended = std::make_shared<std::promise<void>>();
    caf::anon_send(gateway, EndCalls{ended});
    ended->get_future().wait_for(options_.stop_deadline);
  }

  void EndUntrusted() {
    const auto check = [this](const std::string& certificate) { return gate_->CheckTrust(certificate); };
    link_.EndUntrusted(check);
    watches_.EndUntrusted(check);
  }

  /// Waits for a sweep that is under way: it uses this object.
  void StopSweeper() {
    if (!sweeper_) return;
    caf::scoped_actor self(system_);
    self->send_exit(sweeper_, caf::exit_reason::user_shutdown);
    self->wait_for(sweeper_);
    sweeper_ = nullptr;
  }

  /// A peer that vanished without a word is noticed; one that probes us often is not blamed for it.
  void SetKeepalive(grpc::ServerBuilder& builder) const {
    const auto millis = [](Duration d) { return static_cast<int>(d / std::chrono::milliseconds(1)); };
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, millis(options_.keepalive));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, millis(options_.keepalive_wait));
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 500);
  }

  /// What one peer, or many that nobody knows, can cost, beside the number of connections.
  void SetLimits(grpc::ServerBuilder& builder) const {
    const auto millis = [](Duration d) { return static_cast<int>(d / std::chrono::milliseconds(1)); };
    constexpr int kMaxMetadataBytes = 16 * 1024;
    builder.SetMaxReceiveMessageSize(static_cast<int>(options_.max_message_bytes));
    builder.SetResourceQuota(grpc::ResourceQuota("control").Resize(options_.max_memory_bytes));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options_.max_streams);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, millis(options_.handshake_deadline));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, millis(options_.max_idle));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, millis(options_.max_age));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, millis(options_.max_age_grace));
  }

  ControlServerOptions options_;
  std::shared_ptr<CallGate> gate_;
  caf::actor_system& system_;
  Gateways gateways_;
  EventWatches watches_;
  Service service_;
  LinkService link_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GrpcPort> port_; ///< after the server that it feeds
  caf::actor sweeper_;             ///< none without certificates
  bool stopped_ = false;
};

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() = default;

Result<std::unique_ptr<ControlServer>> ControlServer::Start(const ControlServerOptions& options,
                                                            caf::actor_system& system,
                                                            const controller_actor& controller) {
  auto impl = std::make_unique<Impl>(options, system, controller);
  AVOCET_RETURN_IF_ERROR(impl->Listen());
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

std::string ControlServer::address() const {
  return impl_->address();
}

void ControlServer::Stop() {
  impl_->Stop();
}

} // namespace avocet

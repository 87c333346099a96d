#include "actors/wire/link_client.h"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "actors/protocol/controller_claims.h"
#include "actors/stop.h"
#include "actors/wire/clean_text.h"
#include "messages/codec/codec.h"
#include "messages/text.h"

namespace avocet {
namespace {

using Self = link_client_actor::stateful_pointer<LinkClientState>;

/// For what the actor still has to hand to the connection.
constexpr Duration kStopDeadline = std::chrono::seconds(2);

/// One registration fails with this; the agent tries again by itself.
Status Away(const LinkClientState& state) {
  return state.down.ok() ? Unavailable("controller " + state.args->address + " is not connected") : state.down;
}

bool Send(Self self, v1::AgentMessage message) {
  CleanTexts(message);
  return self->state.open && self->state.args->wire.send(std::move(message));
}

caf::result<Done> SendOrRefuse(Self self, v1::AgentMessage message) {
  if (!Send(self, std::move(message))) return MakeError(Away(self->state));
  return Done{};
}

// ---- up ----

caf::result<Welcome> OnRegister(Self self, RegisterAgent& registration) {
  auto& state = self->state;
  state.node = registration.node;
  state.agent = std::move(registration.agent);
  state.acks = std::move(registration.acks);
  v1::AgentMessage message;
  *message.mutable_hello() =
      ToProto(LinkHello{std::move(registration.node), std::move(registration.running), registration.instance,
                        registration.highest_epoch, registration.cluster});
  if (!Send(self, std::move(message))) return MakeError(Away(state));
  if (state.registering) Refuse(*state.registering, Cancelled("registered again meanwhile"));
  state.registering = self->make_response_promise<Welcome>();
  return *state.registering;
}

caf::result<Done> OnHeartbeat(Self self) {
  v1::AgentMessage message;
  message.mutable_alive();
  return SendOrRefuse(self, std::move(message));
}

caf::result<Done> OnReport(Self self, const ReportRunning& report) {
  v1::AgentMessage message;
  *message.mutable_running() = ToProto(report.running);
  return SendOrRefuse(self, std::move(message));
}

/// Windows that do not go out stay with the uplink, which sends them again.
void OnWindows(Self self, const ReportWindows& report) {
  const size_t most = self->state.args->max_batch_bytes;

  v1::AgentMessage message;
  size_t bytes = 0;

  // Split by bytes, not by count: windows differ in size, and the controller refuses a message above its limit.
  for (const auto& sent : report.windows) {
    auto proto = ToProto(sent);
    const size_t size = proto.ByteSizeLong();
    // A single window above the limit goes out alone.
    if (bytes > 0 && bytes + size > most) {
      Send(self, std::exchange(message, {}));
      bytes = 0;
    }
    bytes += size;
    *message.mutable_windows()->add_windows() = std::move(proto);
  }

  if (bytes > 0) Send(self, std::move(message));
}

void OnGoodbye(Self self) {
  v1::AgentMessage message;
  message.mutable_goodbye();
  Send(self, std::move(message));
}

// ---- down ----

/// What the controller says is not taken.
void RefuseClaim(Self self, std::string_view what, const Status& why) {
  auto& lines = self->state.lines;
  if (lines.Take(self->clock().now()))
    spdlog::warn("message of the controller refused what={} reason=\"{}\" lines_left_out={}", what, why.message(),
                 lines.TakeDropped());
}

/// Nothing is said to a node before it registered.
Status CheckRegistered(const LinkClientState& state) {
  return state.agent ? Status() : Unavailable("the agent has not registered yet");
}

Result<LinkRequest> ReadRequest(const LinkClientState& state, const v1::Request& proto) {
  AVOCET_RETURN_IF_ERROR(CheckRegistered(state));
  AVOCET_ASSIGN_OR_RETURN(auto request, FromProto(proto));
  if (const auto* run = std::get_if<RunCommand>(&request)) {
    AVOCET_RETURN_IF_ERROR(CheckCommand(state.node, run->command));
  } else {
    const auto& order = std::get<ProfileOnDevice>(request);
    AVOCET_RETURN_IF_ERROR(CheckProfileOrder(state.node, order.device, order.model, order.variant));
  }
  return request;
}

Result<WindowAck> ReadAck(const LinkClientState& state, const v1::WindowAck& proto) {
  AVOCET_RETURN_IF_ERROR(CheckRegistered(state));
  AVOCET_ASSIGN_OR_RETURN(auto ack, FromProto(proto));
  AVOCET_RETURN_IF_ERROR(CheckAck(state.node, ack.device, ack.boot, ack.sequence));
  return ack;
}

Result<SetPredictions> ReadPredictions(const LinkClientState& state, const v1::Predictions& proto) {
  AVOCET_RETURN_IF_ERROR(CheckRegistered(state));
  AVOCET_ASSIGN_OR_RETURN(auto predictions, FromProto(proto));
  AVOCET_RETURN_IF_ERROR(CheckPredictions(state.node, predictions.device, predictions.apps, predictions.objectives));
  return predictions;
}

void SendAnswer(Self self, uint64_t id, const LinkAnswer& answer) {
  v1::AgentMessage message;
  *message.mutable_answer() = ToProto(answer);
  message.mutable_answer()->set_id(id);
  Send(self, std::move(message));
}

/// A request that a past session carried has nobody to answer.
void Conclude(Self self, uint64_t session, uint64_t id, LinkAnswer answer) {
  auto& state = self->state;
  if (session != state.sessions) return;
  SendAnswer(self, id, answer);
  state.inbox.Done(id, std::move(answer));
}

void Execute(Self self, uint64_t id, LinkRequest request) {
  auto& state = self->state;

  // Bound to this session: an answer must not reach a later one, whose request ids begin again.
  auto fail = [self, session = state.sessions, id](const caf::error& error) {
    Conclude(self, session, id, {ToStatus(error, "agent"), {}});
  };

  if (auto* run = std::get_if<RunCommand>(&request)) {
    self->request(state.agent, state.args->deadlines.command, std::move(*run))
        .then([self, session = state.sessions, id](Done) { Conclude(self, session, id, {}); }, fail);
    return;
  }

  self->request(state.agent, state.args->deadlines.profile, std::get<ProfileOnDevice>(std::move(request)))
      .then(
          [self, session = state.sessions, id](Profile& profile) {
            Conclude(self, session, id, {{}, std::move(profile)});
          },
          fail);
}

void OnRequest(Self self, const v1::Request& proto) {
  auto& state = self->state;
  // The inbox counts on by these numbers: one that makes no sense would make it deaf.
  if (auto status = CheckRequestId(proto.id(), proto.oldest_id()); !status.ok())
    return RefuseClaim(self, "request", status);
  using Next = RequestInbox<LinkAnswer>::Next;
  const Next next = state.inbox.Arrived(proto.id(), proto.oldest_id());
  if (next == Next::kAnswer) return SendAnswer(self, proto.id(), state.inbox.AnswerOf(proto.id()));
  if (next != Next::kExecute) return;
  auto request = ReadRequest(state, proto);
  if (!request.ok()) return Conclude(self, state.sessions, proto.id(), {request.status(), {}});
  Execute(self, proto.id(), std::move(*request));
}

void OnWelcome(Self self, const v1::Welcome& welcome) {
  auto& state = self->state;
  if (!state.registering) return; // nobody asked
  spdlog::info("linked controller={}", state.args->address);
  state.args->wire.welcomed();
  state.registering->deliver(Welcome{welcome.cluster()});
  state.registering.reset();
}

void OnAck(Self self, const v1::WindowAck& proto) {
  auto ack = ReadAck(self->state, proto);
  if (ack.ok()) return self->send(self->state.acks, std::move(*ack));
  RefuseClaim(self, "acknowledgement", ack.status());
}

void OnPredictions(Self self, const v1::Predictions& proto) {
  auto predictions = ReadPredictions(self->state, proto);
  if (predictions.ok()) return self->send(self->state.agent, std::move(*predictions));
  RefuseClaim(self, "predictions", predictions.status());
}

/// The agent registers with whom it is given.
void GiveController(Self self) {
  self->send(self->state.args->agent, ConnectTo{caf::actor_cast<agent_link_actor>(self)});
}

/// The controller ended the node's session, for example after a missed lease, while the stream stayed up.
void OnRegisterAgain(Self self, const v1::RegisterAgain& again) {
  if (!self->state.registrations.Take(self->clock().now()))
    return RefuseClaim(self, "registration", ResourceExhausted("asked for too often"));
  spdlog::warn("asked to register again reason=\"{}\"", ToText(again.reason(), kMaxTextBytes));
  GiveController(self);
}

void OnSaid(Self self, const v1::ControllerMessage& message) {
  switch (message.body_case()) {
  case v1::ControllerMessage::kWelcome:
    return OnWelcome(self, message.welcome());
  case v1::ControllerMessage::kRequest:
    return OnRequest(self, message.request());
  case v1::ControllerMessage::kAck:
    return OnAck(self, message.ack());
  case v1::ControllerMessage::kRegisterAgain:
    return OnRegisterAgain(self, message.register_again());
  case v1::ControllerMessage::kPredictions:
    return OnPredictions(self, message.predictions());
  case v1::ControllerMessage::BODY_NOT_SET:
    // Not an error: a newer controller may send what this agent does not know yet.
    return spdlog::debug("message of a later version ignored");
  }
}

void OnUp(Self self) {
  auto& state = self->state;
  state.open = true;
  ++state.sessions;
  state.inbox = RequestInbox<LinkAnswer>();
  GiveController(self);
}

void OnDown(Self self, const LinkDown& down) {
  auto& state = self->state;
  // While a controller is away every attempt fails alike: say so once.
  if (state.open || down.why != state.down)
    spdlog::warn("no link to the controller; serving the cached plan reason=\"{}\"", down.why.message());
  state.down = down.why;
  if (state.registering) Refuse(*state.registering, state.down);
  state.registering.reset();
  if (std::exchange(state.open, false)) self->send(state.args->agent, ConnectTo{});
}

caf::behavior FetcherBehavior(caf::event_based_actor*, const std::shared_ptr<const LinkClientArgs>& args) {
  return {[args](const FetchModel& fetch) -> caf::result<ModelChunk> {
    auto chunk = args->wire.fetch(fetch);
    if (!chunk.ok()) return MakeError(chunk.status());
    return std::move(*chunk);
  }};
}

caf::result<ModelChunk> OnFetch(Self self, FetchModel& fetch) {
  auto promise = self->make_response_promise<ModelChunk>();
  self->request(self->state.fetcher, caf::infinite, std::move(fetch)) // has a deadline of its own
      .then([promise](ModelChunk& chunk) mutable { promise.deliver(std::move(chunk)); },
            [promise](const caf::error& error) mutable { Refuse(promise, ToStatus(error, "controller")); });
  return promise;
}

} // namespace

link_client_actor::behavior_type LinkClientBehavior(Self self, const std::shared_ptr<const LinkClientArgs>& args) {
  self->state.args = args;

  // A thread of its own: a fetch blocks on the network for as long as its deadline.
  self->state.fetcher = args->detached_fetch ? self->spawn<caf::detached + caf::linked>(FetcherBehavior, args)
                                             : self->spawn<caf::linked>(FetcherBehavior, args);

  return {
      [self](RegisterAgent& registration) { return OnRegister(self, registration); },
      [self](const Heartbeat&) { return OnHeartbeat(self); },
      [self](const ReportRunning& report) { return OnReport(self, report); },
      [self](const ReportWindows& report) { OnWindows(self, report); },
      [self](const Goodbye&) { OnGoodbye(self); },
      [self](FetchModel& fetch) { return OnFetch(self, fetch); },
      [self](LinkUp) { OnUp(self); },
      [self](const ControllerSaid& said) { OnSaid(self, *said.message); },
      [self](const LinkDown& down) { OnDown(self, down); },
      [](StopActor) -> caf::result<Done> { return Done{}; }, // what was said before is with the connection now
  };
}

AgentLink::AgentLink(caf::actor_system& system, const LinkConnectionOptions& options, const agent_actor& agent)
    : system_(system), connection_(std::make_shared<LinkConnection>(options)) {
  auto args = std::make_shared<LinkClientArgs>();
  args->address = options.address;
  args->agent = agent;
  args->wire = {.send = [c = connection_](v1::AgentMessage message) { return c->Send(std::move(message)); },
                .welcomed = [c = connection_] { c->Welcomed(); },
                .fetch = [c = connection_](const FetchModel& fetch) { return c->Fetch(fetch); }};
  const auto actor = system.spawn(LinkClientBehavior, std::shared_ptr<const LinkClientArgs>(args));
  actor_ = actor;
  controller_ = actor;
  connection_->Begin(
      {.up = [actor] { caf::anon_send(actor, LinkUp{}); },
       .said =
           [actor](v1::ControllerMessage message) {
             caf::anon_send(actor, ControllerSaid{std::make_shared<const v1::ControllerMessage>(std::move(message))});
           },
       .down = [actor](const Status& why) { caf::anon_send(actor, LinkDown{why}); }});
}

AgentLink::~AgentLink() {
  Stop();
}

void AgentLink::Stop() {
  if (!actor_) return;
  (void)StopAndWait(system_, actor_, kStopDeadline);
  connection_->Stop();
  caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  actor_ = nullptr;
  controller_ = nullptr;
}

} // namespace avocet

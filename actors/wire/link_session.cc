#include "actors/wire/link_session.h"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "actors/protocol/agent_claims.h"
#include "messages/codec/codec.h"

namespace avocet {
namespace {

using Self = link_session_actor::stateful_pointer<LinkSessionState>;

constexpr Duration kTick = std::chrono::milliseconds(500);

std::string Name(Self self) {
  const auto& state = self->state;
  return state.node ? state.node->id.str() : state.args->peer;
}

/// A line that the agent causes.
template <class... Args>
void Log(Self self, spdlog::level::level_enum level, spdlog::format_string_t<Args...> format, Args&&... args) {
  self->state.args->log->Write(level, Name(self), format, std::forward<Args>(args)...);
}

void End(Self self, const Status& status) {
  Log(self, spdlog::level::warn, "link session ended node={} reason=\"{}\"", Name(self), status.message());
  self->state.args->stream.end(status);
}

void AskForRegistration(Self self, const Status& why) {
  v1::ControllerMessage message;
  message.mutable_register_again()->set_reason(why.message());
  self->state.welcome = false;
  self->state.args->stream.send(std::move(message));
}

/// The controller refused what the session said: it forgot the node, a later session replaced this one, or the agent
/// said what it may not, and would again.
void OnRefused(Self self, const Status& status) {
  const auto code = status.code();
  const bool is_final =
      code == StatusCode::kCancelled || code == StatusCode::kDenied || code == StatusCode::kInvalidArgument;
  if (is_final) return End(self, status);
  Log(self, spdlog::level::warn, "agent is to register again node={} reason=\"{}\"", Name(self), status.message());
  AskForRegistration(self, status);
}

// ---- requests to the agent ----

void SendDue(Self self) {
  auto& state = self->state;
  for (const auto& due : state.outbox.TakeToSend(self->clock().now())) {
    v1::ControllerMessage message;
    auto& request = *message.mutable_request();
    request = ToProto(*due.request);
    request.set_id(due.id);
    request.set_oldest_id(due.oldest_id);
    state.args->stream.send(std::move(message));
  }
  if (state.ticking || state.outbox.size() == 0) return;
  state.ticking = true;
  self->delayed_send(self, kTick, LinkTick{});
}

void Conclude(Self self, uint64_t id, LinkAnswer answer) {
  auto node = self->state.waiting.extract(id);
  if (!node.empty()) node.mapped()(std::move(answer));
}

/// As for a request that there is no room for: when the agent registers again, what it runs is compared with
/// what it should run, so a command that did not reach it is not lost.
void Tick(Self self) {
  auto& state = self->state;
  state.ticking = false;
  const auto expired = state.outbox.TakeExpired(self->clock().now());
  for (const uint64_t id : expired)
    Conclude(self, id, {DeadlineExceeded("the agent of node '" + Name(self) + "' did not answer in time"), {}});
  if (!expired.empty()) return End(self, DeadlineExceeded("a request was not answered in time"));
  SendDue(self);
}

template <class Reply, class Deliver>
caf::result<Reply> AskAgent(Self self, LinkRequest request, Duration deadline, Deliver deliver) {
  auto& state = self->state;
  if (!state.node) return MakeError(Unavailable("the agent has not introduced itself"));

  // The outbox sends again until the deadline; a request that finds no place ends the session.
  auto id = state.outbox.Add(std::move(request), self->clock().now() + deadline);
  if (!id.ok()) {
    End(self, id.status());
    return MakeError(id.status());
  }

  // Kept under its id: an answer may come late, twice or never.
  auto promise = self->template make_response_promise<Reply>();
  state.waiting[*id] = [promise, deliver](LinkAnswer answer) mutable {
    if (answer.status.ok())
      deliver(promise, std::move(answer));
    else
      Refuse(promise, answer.status);
  };

  SendDue(self);
  return promise;
}

caf::result<Done> OnCommand(Self self, RunCommand& run) {
  const Duration deadline = self->state.args->deadlines.command;
  return AskAgent<Done>(self, std::move(run), deadline,
                        [](auto& promise, const LinkAnswer&) { promise.deliver(Done{}); });
}

caf::result<Profile> OnProfile(Self self, ProfileOnDevice& profile) {
  const Duration deadline = self->state.args->deadlines.profile;
  return AskAgent<Profile>(self, std::move(profile), deadline, [](auto& promise, LinkAnswer answer) {
    if (answer.profile)
      promise.deliver(std::move(*answer.profile));
    else
      Refuse(promise, Corruption("the agent answered without a profile"));
  });
}

// ---- what the agent says ----

Status CheckIdentity(const LinkSessionState& state, const NodeInfo& node) {
  if (state.args->only_node && *state.args->only_node != node.id)
    return Denied("the certificate is of '" + state.args->only_node->str() + "', not of node '" + node.id.str() + "'");
  if (state.node && state.node->id != node.id)
    return InvalidArgument("a session belongs to one node, '" + state.node->id.str() + "'");
  return {};
}

void OnHello(Self self, const v1::Hello& proto) {
  auto& state = self->state;

  auto hello = FromProto(proto);
  if (!hello.ok()) return End(self, hello.status());

  if (auto status = CheckIdentity(state, hello->node); !status.ok()) return End(self, status);
  state.node = hello->node;

  // This actor stands in for the agent and for its acknowledgements: the controller sees no difference to a local one.
  RegisterAgent registration{std::move(hello->node),
                             std::move(hello->running),
                             caf::actor_cast<agent_handle>(self),
                             caf::actor_cast<window_ack_handle>(self),
                             state.args->session,
                             hello->instance,
                             state.args->peer,
                             hello->highest_epoch,
                             hello->cluster};

  self->request(state.args->controller, state.args->deadlines.store, std::move(registration))
      .then(
          [self](const Welcome& welcome) {
            auto& state = self->state;
            state.welcome = true;
            Log(self, spdlog::level::info, "agent registered node={} peer={} session={}", Name(self), state.args->peer,
                state.args->session);

            v1::ControllerMessage message;
            message.mutable_welcome()->set_cluster(welcome.cluster);
            state.args->stream.send(std::move(message));
          },
          [self](const caf::error& error) { End(self, ToStatus(error, "controller")); });
}

void OnAlive(Self self) {
  auto& state = self->state;
  Heartbeat heartbeat{state.node->id, state.node->boot, state.args->session};
  self->request(state.args->controller, state.args->deadlines.local, std::move(heartbeat))
      .then([](Done) {}, [self](const caf::error& error) { OnRefused(self, ToStatus(error, "controller")); });
}

void OnRunning(Self self, const v1::Placement& proto) {
  auto& state = self->state;
  auto running = FromProto(proto);
  if (!running.ok()) return End(self, running.status());
  if (auto status = CheckReport(*state.node, *running); !status.ok()) return End(self, status);
  ReportRunning report{state.node->id, std::move(*running), state.node->boot, state.args->session};
  self->request(state.args->controller, state.args->deadlines.store, std::move(report))
      .then([](Done) {}, [self](const caf::error& error) { OnRefused(self, ToStatus(error, "controller")); });
}

void OnWindows(Self self, const v1::WindowBatch& batch) {
  auto& state = self->state;
  ReportWindows report{state.node->id, {}, state.node->boot, state.args->session};
  if (auto status = CheckWindowCount(*state.node, static_cast<size_t>(batch.windows_size())); !status.ok())
    return End(self, status);
  report.windows.reserve(static_cast<size_t>(batch.windows_size()));
  for (const auto& proto : batch.windows()) {
    auto sent = FromProto(proto);
    if (!sent.ok()) return End(self, sent.status());
    if (auto status = CheckWindow(*state.node, *sent); !status.ok()) return End(self, status);
    report.windows.push_back(std::move(*sent));
  }
  self->send(state.args->controller, std::move(report));
}

void OnGoodbye(Self self) {
  const auto& node = *self->state.node;
  self->send(self->state.args->controller, Goodbye{node.id, node.boot, self->state.args->session});
}

void OnAnswer(Self self, const v1::Answer& proto) {
  if (!self->state.outbox.Answered(proto.id())) return; // it came twice, or too late
  auto answer = FromProto(proto);
  Conclude(self, proto.id(), answer.ok() ? std::move(*answer) : LinkAnswer{answer.status(), {}});
}

void OnSaid(Self self, const v1::AgentMessage& message) {
  using Body = v1::AgentMessage;
  const auto body = message.body_case();
  if (body == Body::kHello) return OnHello(self, message.hello());
  if (!self->state.node) return End(self, InvalidArgument("a session begins with Hello"));
  if (body == Body::kAnswer) return OnAnswer(self, message.answer());
  if (body == Body::kGoodbye) return OnGoodbye(self); // the controller hears it after the registration
  if (!self->state.welcome) return;                   // the registration under way tells more
  if (body == Body::kAlive) return OnAlive(self);
  if (body == Body::kRunning) return OnRunning(self, message.running());
  if (body == Body::kWindows) return OnWindows(self, message.windows());
  spdlog::debug("message of a later version ignored node={}", Name(self));
}

void OnEnded(Self self) {
  auto waiting = std::move(self->state.waiting);
  for (auto& [id, conclude] : waiting)
    conclude({Unavailable("the agent of node '" + Name(self) +
                          "' went away before it answered; its log says whether it ended"),
              {}});
  if (self->state.node)
    Log(self, spdlog::level::info, "link session over node={} session={}", Name(self), self->state.args->session);
  self->quit();
}

} // namespace

link_session_actor::behavior_type LinkSessionBehavior(Self self, const std::shared_ptr<const LinkSessionArgs>& args) {
  self->state.args = args;
  return {
      [self](RunCommand& run) { return OnCommand(self, run); },
      [self](ProfileOnDevice& profile) { return OnProfile(self, profile); },
      [self](const RegisterAgain& again) { AskForRegistration(self, Unavailable(again.why)); },
      // Neither answered nor repeated: the next predictions replace these.
      [self](const SetPredictions& predictions) {
        v1::ControllerMessage message;
        *message.mutable_predictions() = ToProto(predictions);
        self->state.args->stream.send(std::move(message));
      },
      // May get lost: the windows are sent again then, and acknowledged again.
      [self](const WindowAck& ack) {
        v1::ControllerMessage message;
        *message.mutable_ack() = ToProto(ack);
        self->state.args->stream.send(std::move(message));
      },
      // Counted as handled only now, so that the stream stops reading when this mailbox grows.
      [self](const AgentSaid& said) {
        OnSaid(self, *said.message);
        self->state.args->stream.handled();
      },
      [self](StreamEnded) { OnEnded(self); },
      [self](LinkTick) { Tick(self); },
  };
}

} // namespace avocet

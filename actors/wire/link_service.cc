#include "actors/wire/link_service.h"

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "actors/protocol/fetch_grants.h"
#include "actors/wire/clean_text.h"
#include "actors/wire/control_codec.h"
#include "actors/wire/control_requests.h"
#include "actors/wire/link_session.h"
#include "actors/wire/rpc_status.h"
#include "avocet/v1/link.grpc.pb.h"
#include "messages/tls/tls_credentials.h"

namespace avocet {
namespace {

/// The only node that the peer may speak for; nullopt: any, as it has no certificate. kDenied unless it is an agent.
Result<std::optional<NodeId>> NodeOf(CallGate& gate, const grpc::ServerContextBase& context) {
  AVOCET_ASSIGN_OR_RETURN(const auto peer, gate.Identify(*context.auth_context(), {Role::kAgent}));
  if (peer.role == Role::kLocal) return std::optional<NodeId>();
  return std::optional<NodeId>(NodeId(peer.name));
}

/// "ipv4:10.0.0.1:4000" without the port, which every connection has another of.
std::string HostOf(const std::string& peer) {
  return peer.substr(0, peer.rfind(':'));
}

/// The gRPC side of one session: reads one message at a time, writes from a bounded queue. Shared by gRPC
/// (until OnDone) and the session's actor.
class Stream : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage>,
               public std::enable_shared_from_this<Stream> {
public:
  Stream(const LinkServiceOptions& options, std::string certificate, std::function<void()> on_done)
      : certificate_(std::move(certificate)), max_unhandled_(options.max_unhandled), max_queued_(options.max_queued),
        on_done_(std::move(on_done)) {}

  const std::string& certificate() const { return certificate_; }

  /// `actor` hears what the agent says, and of the end.
  void Begin(link_session_actor actor) {
    actor_ = std::move(actor);
    myself_ = shared_from_this();
    StartSendInitialMetadata();
    StartRead(&incoming_);
  }

  /// A session that never begins.
  void Refuse(const Status& status) {
    myself_ = shared_from_this();
    ended_ = true;
    Finish(ToRpcStatus(status));
  }

  bool Send(v1::ControllerMessage message) {
    bool full = false;
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return false;
      full = outgoing_.size() >= max_queued_;
      if (!full) {
        outgoing_.push_back(std::move(message));
        WriteNext();
      }
    }
    if (full) End(ResourceExhausted(std::to_string(max_queued_) + " messages wait for the agent's network"));
    return !full;
  }

  void Handled() {
    const std::lock_guard lock(mutex_);
    --unhandled_;
    if (!paused_ || ended_ || unhandled_ > max_unhandled_ / 2) return;
    paused_ = false;
    StartRead(&incoming_);
  }

  /// A write under way ends first: keep-alive bounds how long that takes.
  void End(const Status& status) {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    last_word_ = ToRpcStatus(status);
    if (!writing_) Finish(last_word_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End({});
    auto message = std::make_shared<v1::AgentMessage>();
    message->Swap(&incoming_);
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    paused_ = ++unhandled_ >= max_unhandled_;
    caf::anon_send(actor_, AgentSaid{std::move(message)});
    if (!paused_) StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      outgoing_.pop_front();
      if (ended_) return Finish(last_word_);
      if (ok) WriteNext();
    }
    if (!ok) End(Unavailable("the agent is gone"));
  }

  void OnCancel() override { End(Cancelled("the agent is gone")); }

  void OnDone() override {
    if (actor_) caf::anon_send(actor_, StreamEnded{});
    actor_ = nullptr;
    on_done_();
    const auto last = std::move(myself_); // maybe the last reference: nothing may follow
  }

private:
  /// Requires the lock.
  void WriteNext() {
    if (writing_ || outgoing_.empty()) return;
    writing_ = true;
    StartWrite(&outgoing_.front());
  }

  const std::string certificate_; ///< as of CertificateOf
  size_t max_unhandled_;
  size_t max_queued_;
  std::function<void()> on_done_;
  std::shared_ptr<Stream> myself_;
  link_session_actor actor_;
  v1::AgentMessage incoming_;
  std::mutex mutex_;                           ///< guards the members below
  std::deque<v1::ControllerMessage> outgoing_; ///< while writing, the first one is being written
  bool writing_ = false;
  size_t unhandled_ = 0;
  bool paused_ = false;
  bool ended_ = false;
  grpc::Status last_word_;
};

/// Files that the controller let nodes have, so that it is asked once for a file and not for each piece. Thread-safe.
class KnownGrants {
public:
  bool Has(const NodeId& node, const Sha256& file) {
    const std::lock_guard lock(mutex_);
    return grants_.Has(node, file);
  }
  void Grant(const NodeId& node, const Sha256& file) {
    const std::lock_guard lock(mutex_);
    grants_.Grant(node, file);
  }

private:
  std::mutex mutex_;
  FetchGrants grants_;
};

/// One call of FetchModel.
struct FetchCall {
  grpc::ServerUnaryReactor* reactor = nullptr;
  v1::ModelChunk* reply = nullptr;
  FetchModel fetch;
  std::optional<NodeId> only_node; ///< as of NodeOf
  std::shared_ptr<KnownGrants> granted;
  controller_actor controller;
  Duration deadline{};
};

void ReadChunk(caf::event_based_actor* self, const FetchCall& call) {
  self->request(call.controller, call.deadline, call.fetch)
      .then(
          [call](ModelChunk& chunk) {
            call.reply->set_data(std::move(chunk.data));
            call.reactor->Finish(grpc::Status::OK);
          },
          [call](const caf::error& error) { call.reactor->Finish(ToRpcStatus(ToStatus(error, "controller"))); });
}

/// A node gets the files that it was told to use, and no other.
void ServeFetch(caf::event_based_actor* self, const FetchCall& call) {
  if (!call.only_node || call.granted->Has(*call.only_node, call.fetch.file)) return ReadChunk(self, call);
  self->request(call.controller, call.deadline, MayFetch{*call.only_node, call.fetch.file})
      .then(
          [self, call](Done) {
            call.granted->Grant(*call.only_node, call.fetch.file);
            ReadChunk(self, call);
          },
          [call](const caf::error& error) { call.reactor->Finish(ToRpcStatus(ToStatus(error, "controller"))); });
}

} // namespace

class LinkService::Impl : public v1::AgentLink::CallbackService {
public:
  Impl(const LinkServiceOptions& options, caf::actor_system& system, const controller_actor& controller)
      : options_(options), system_(system), controller_(controller) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage>*
  Session(grpc::CallbackServerContext* context) override {
    uint64_t number = 0;
    std::shared_ptr<Stream> stream;

    Status refusal;
    {
      const std::lock_guard lock(mutex_);
      number = ++last_session_;
      stream = std::make_shared<Stream>(options_, CertificateOf(*context->auth_context()),
                                        [this, number] { Forget(number); });
      if (stopped_)
        refusal = Unavailable("the controller is stopping");
      else if (sessions_.size() >= options_.max_sessions)
        refusal = ResourceExhausted("the controller has its " + std::to_string(options_.max_sessions) + " agents");
      // Refused streams are registered, too: gRPC uses them until OnDone, which forgets them.
      sessions_[number] = stream;
    }

    // Outside the lock, which Forget takes on other threads: a certificate takes a while to read.
    auto only_node = NodeOf(*options_.gate, *context);
    if (refusal.ok()) refusal = only_node.status();
    if (refusal.ok())
      stream->Begin(Spawn(context->peer(), number, *only_node, stream));
    else
      Reject(*context, refusal, *stream);

    return stream.get();
  }

  grpc::ServerUnaryReactor* FetchModel(grpc::CallbackServerContext* context, const v1::FetchModelRequest* request,
                                       v1::ModelChunk* reply) override {
    auto* reactor = context->DefaultReactor();
    auto fetch = FromProto(*request);
    const auto only_node = NodeOf(*options_.gate, *context);
    Status status = only_node.ok() ? fetch.status() : only_node.status();
    if (status.ok()) status = CheckRequest(*fetch);
    if (!status.ok()) {
      reactor->Finish(ToRpcStatus(status));
      return reactor;
    }
    system_.spawn(ServeFetch, FetchCall{reactor, reply, *fetch, *only_node, granted_, controller_, options_.max_fetch});
    return reactor;
  }

  void EndUntrusted(const std::function<Status(const std::string& certificate)>& check) {
    for (const auto& [number, weak] : Sessions()) {
      const auto stream = weak.lock();
      if (stream == nullptr || stream->certificate().empty()) continue;
      const Status status = check(stream->certificate());
      if (status.ok()) continue;
      spdlog::warn("link session ended session={} reason=\"{}\"", number, status.message());
      stream->End(status);
    }
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    for (const auto& [number, weak] : Sessions()) {
      if (const auto stream = weak.lock()) stream->End(Unavailable("the controller is stopping"));
    }
  }

private:
  link_session_actor Spawn(const std::string& peer, uint64_t number, const std::optional<NodeId>& only_node,
                           const std::shared_ptr<Stream>& stream) {
    auto args = std::make_shared<LinkSessionArgs>();
    args->session = number;
    args->peer = peer;
    args->only_node = only_node;
    args->controller = controller_;
    args->stream = {.send =
                        [stream](v1::ControllerMessage message) {
                          CleanTexts(message);
                          return stream->Send(std::move(message));
                        },
                    .handled = [stream] { stream->Handled(); },
                    .end = [stream](const Status& status) { stream->End(status); }};
    args->deadlines = options_.deadlines;
    args->log = log_;
    return system_.spawn(LinkSessionBehavior, std::shared_ptr<const LinkSessionArgs>(args));
  }

  void Reject(const grpc::ServerContextBase& context, const Status& refusal, Stream& stream) {
    log_->Write(spdlog::level::warn, HostOf(context.peer()), "link refused peer={} reason=\"{}\"", context.peer(),
                refusal.message());
    stream.Refuse(refusal);
  }

  std::map<uint64_t, std::weak_ptr<Stream>> Sessions() {
    const std::lock_guard lock(mutex_);
    return sessions_;
  }

  void Forget(uint64_t number) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(number);
  }

  LinkServiceOptions options_;
  std::shared_ptr<PeerLog> log_ = std::make_shared<PeerLog>();
  std::shared_ptr<KnownGrants> granted_ = std::make_shared<KnownGrants>();
  caf::actor_system& system_;
  controller_actor controller_;
  std::mutex mutex_; ///< guards the members below
  std::map<uint64_t, std::weak_ptr<Stream>> sessions_;
  uint64_t last_session_ = 0;
  bool stopped_ = false;
};

LinkService::LinkService(const LinkServiceOptions& options, caf::actor_system& system,
                         const controller_actor& controller)
    : impl_(std::make_unique<Impl>(options, system, controller)) {}
LinkService::~LinkService() = default;

grpc::Service& LinkService::service() {
  return *impl_;
}

void LinkService::EndUntrusted(const std::function<Status(const std::string& certificate)>& check) {
  impl_->EndUntrusted(check);
}

void LinkService::Stop() {
  impl_->Stop();
}

} // namespace avocet

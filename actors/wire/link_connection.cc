#include "actors/wire/link_connection.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "actors/wire/control_codec.h"
#include "actors/wire/link_loop.h"
#include "actors/wire/rpc_failure.h"
#include "actors/wire/rpc_status.h"
#include "avocet/v1/link.grpc.pb.h"
#include "messages/tls/tls_credentials.h"

namespace avocet {
namespace {

/// Attempts with one channel; then another is made, whose failure says why nobody answers.
constexpr int kMaxConnectRetries = 10;

int Millis(Duration duration) {
  return static_cast<int>(duration / std::chrono::milliseconds(1));
}

grpc::ChannelArguments ArgumentsOf(const LinkConnectionOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Millis(options.keepalive));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis(options.keepalive_wait));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Every attempt is ours: neither shared with another channel nor repeated by gRPC in a rhythm of its own.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Millis(options.connect));
  // The policy that keeps what it dials with when a connection is lost; the other one parses the key and the
  // certificates for each new one, which takes longer than the handshake.
  arguments.SetLoadBalancingPolicyName("round_robin");
  return arguments;
}

/// One stream, from the dialling to its end. Its events happen on the loop's thread.
class Session {
public:
  /// Called on the loop's thread, in this order.
  struct Owner {
    std::function<void()> reached; ///< the controller took the call, or refused it
    std::function<void(v1::ControllerMessage)> said;
    std::function<void(const grpc::Status&)> over; ///< the last one; the session must outlive the call
  };

  Session(const std::shared_ptr<grpc::Channel>& channel, grpc::CompletionQueue& queue, size_t max_queued, Owner owner)
      : max_queued_(max_queued), owner_(std::move(owner)), stub_(v1::AgentLink::NewStub(channel)),
        stream_(stub_->PrepareAsyncSession(&context_, &queue)) {}

  void Begin() { stream_->StartCall(started_.tag()); }

  /// Only once it was reached.
  bool Send(v1::AgentMessage message) {
    const std::lock_guard lock(mutex_);
    if (closing_ || over_) return false;

    // Whoever does not read for so long is as good as gone, and the queue must stay bounded.
    if (queue_.size() >= max_queued_) {
      context_.TryCancel();
      return false;
    }

    queue_.push_back(std::move(message));
    WriteNext();
    return true;
  }

  /// No further messages; it is over once the queued ones are out and the controller closed.
  void Close() {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    WriteNext();
  }
  void Cancel() { context_.TryCancel(); }

private:
  void OnStarted(bool ok) {
    if (!ok) return End();
    stream_->ReadInitialMetadata(metadata_.tag());
  }

  void OnMetadata() {
    {
      const std::lock_guard lock(mutex_);
      reached_ = true;
      WriteNext();
    }
    owner_.reached();
    stream_->Read(&incoming_, read_.tag());
  }

  void OnRead(bool ok) {
    if (!ok) return End();
    owner_.said(std::exchange(incoming_, {}));
    stream_->Read(&incoming_, read_.tag());
  }

  void OnWritten(bool ok) {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    broken_ = !ok;
    if (!half_closed_) queue_.pop_front();

    // gRPC wants Finish only once no write is under way, so an end that came during this one was put off.
    if (over_)
      stream_->Finish(&status_, finished_.tag());
    else
      WriteNext();
  }

  /// A write under way ends first: it fails, as the stream did.
  void End() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    if (!writing_) stream_->Finish(&status_, finished_.tag());
  }

  /// Requires the lock.
  void WriteNext() {
    // gRPC allows one write at a time, and none before the call was taken.
    if (!reached_ || writing_ || broken_ || over_ || half_closed_) return;

    writing_ = !queue_.empty() || closing_;
    half_closed_ = queue_.empty() && closing_;
    if (half_closed_)
      stream_->WritesDone(written_.tag());
    else if (writing_)
      stream_->Write(queue_.front(), written_.tag());
  }

  size_t max_queued_;
  Owner owner_;
  std::unique_ptr<v1::AgentLink::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::AgentMessage, v1::ControllerMessage>> stream_;
  v1::ControllerMessage incoming_;
  grpc::Status status_;
  LinkEvent started_{[this](bool ok) { OnStarted(ok); }};
  LinkEvent metadata_{[this](bool) { OnMetadata(); }};
  LinkEvent read_{[this](bool ok) { OnRead(ok); }};
  LinkEvent written_{[this](bool ok) { OnWritten(ok); }};
  LinkEvent finished_{[this](bool) { owner_.over(status_); }};
  std::mutex mutex_;                   ///< guards the members below
  std::deque<v1::AgentMessage> queue_; ///< while writing, the first one is being written
  bool reached_ = false;
  bool writing_ = false;
  bool broken_ = false; ///< a write failed
  bool closing_ = false;
  bool half_closed_ = false;
  bool over_ = false;
};

} // namespace

class LinkConnection::Impl {
public:
  Impl(LinkConnectionOptions options, std::shared_ptr<LinkLoop> loop)
      : options_(std::move(options)), loop_(loop ? std::move(loop) : std::make_shared<LinkLoop>()),
        credentials_(options_.tls, options_.address), backoff_(options_.backoff, options_.seed) {}

  ~Impl() { Stop(); }

  void Begin(Listener listener) {
    listener_ = std::move(listener);
    const std::lock_guard lock(mutex_);
    resting_ = false;
    DialIn(Duration::zero());
  }

  void Stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    if (resting_) return;

    // Ends whatever is under way: a pause, a retry of the connection, or a call that nobody took yet.
    alarm_.Cancel();
    if (!live_) channel_ = nullptr;
    if (live_ && !open_) session_->Cancel();

    // An open session gets some time to send what is queued, such as the agent's goodbye.
    if (live_) session_->Close();
    changed_.wait_for(lock, options_.last_words, [this] { return resting_; });

    // A cancelled call always ends, so this wait does; gRPC uses the session until then.
    if (live_) session_->Cancel();
    changed_.wait(lock, [this] { return resting_; });
  }

  bool Send(v1::AgentMessage message) {
    const std::lock_guard lock(mutex_);
    return open_ && session_->Send(std::move(message));
  }

  void Welcomed() {
    const std::lock_guard lock(mutex_);
    backoff_.Reset();
  }

  Result<ModelChunk> Fetch(const FetchModel& fetch) {
    // Without the lock during the call, which blocks: messages of the session go on meanwhile.
    std::shared_ptr<grpc::Channel> channel;
    {
      const std::lock_guard lock(mutex_);
      channel = channel_;
    }
    if (channel == nullptr) return Unavailable("controller " + options_.address + " was not reached yet");

    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + options_.fetch);
    v1::ModelChunk chunk;
    const auto status = v1::AgentLink::NewStub(channel)->FetchModel(&context, ToProto(fetch), &chunk);
    if (!status.ok()) return Explain(status, "FetchModel");
    return FromProto(chunk);
  }

private:
  /// Why a call failed. Without a look at what the server speaks: that would hold up the loop's thread.
  Status Explain(const grpc::Status& status, const char* asked) const {
    const RpcAttempt attempt{.address = options_.address,
                             .address_from = "`controller` in agent.toml",
                             .tls = options_.tls.has_value(),
                             .tls_from = "[tls] in agent.toml",
                             .asked = asked,
                             .deadline = options_.fetch};
    const auto explained = ExplainRpcFailure(status, attempt, nullptr);
    return explained ? *explained : FromRpcStatus(status).WithContext("controller " + options_.address);
  }

  // ---- on the loop's thread ----

  void Dial() {
    // Before the lock is taken: the certificate files are read when they changed.
    auto credentials = credentials_.Get();

    std::unique_lock lock(mutex_);
    if (stopping_) return Rest();
    if (!credentials.ok()) {
      lock.unlock();
      return Pause(credentials.status().WithContext("controller " + options_.address));
    }

    // A channel is kept from one attempt to the next: making one parses keys, which takes longer than a handshake.
    if (channel_ == nullptr || *credentials != used_credentials_ || connect_retries_ == kMaxConnectRetries) {
      used_credentials_ = *std::move(credentials);
      channel_ = grpc::CreateCustomChannel(options_.address, used_credentials_, ArgumentsOf(options_));
      connect_retries_ = 0;
    }

    if (channel_->GetState(false) == GRPC_CHANNEL_TRANSIENT_FAILURE) return RetryConnect();
    OpenSession();
  }

  /// Whether somebody answered before the next attempt to connect is due.
  void OnAnswer(bool answered) {
    if (!answered) return Dial();
    const std::lock_guard lock(mutex_);
    if (stopping_) return Rest();
    OpenSession();
  }

  void OnReached() {
    {
      const std::lock_guard lock(mutex_);
      open_ = channel_->GetState(false) == GRPC_CHANNEL_READY; // or Read says why not
      if (!open_) return;
      connect_retries_ = 0;
    }
    listener_.up();
  }

  void OnOver(const grpc::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      live_ = open_ = false;
    }
    Pause(status.ok() ? Unavailable("the session ended").WithContext("controller " + options_.address)
                      : Explain(status, "the session"));
  }

  void Pause(const Status& why) {
    listener_.down(why);
    const std::lock_guard lock(mutex_);
    if (stopping_) return Rest();
    DialIn(backoff_.Next());
  }

  // ---- with the lock ----

  void OpenSession() {
    session_ = std::make_unique<Session>(
        channel_, loop_->queue(), options_.max_queued,
        Session::Owner{.reached = [this] { OnReached(); },
                       .said = [this](v1::ControllerMessage message) { listener_.said(std::move(message)); },
                       .over = [this](const grpc::Status& status) { OnOver(status); }});
    live_ = true;
    session_->Begin();
  }

  /// While nobody answers, gRPC's channel says no more than that; trying again with it costs one TCP connection, where
  /// another channel would parse keys and certificates first.
  void RetryConnect() {
    ++connect_retries_;
    session_ = nullptr; // with its reference to the channel: Stop ends a retry by dropping the last one
    grpc::experimental::ChannelResetConnectionBackoff(channel_.get());
    channel_->NotifyOnStateChange(GRPC_CHANNEL_TRANSIENT_FAILURE, std::chrono::system_clock::now() + backoff_.Next(),
                                  &loop_->queue(), answer_.tag());
  }

  void DialIn(Duration pause) { alarm_.Set(&loop_->queue(), std::chrono::system_clock::now() + pause, due_.tag()); }

  void Rest() {
    resting_ = true;
    changed_.notify_all();
  }

  LinkConnectionOptions options_;
  std::shared_ptr<LinkLoop> loop_;
  Listener listener_;
  ChannelCredentialsSource credentials_;
  LinkEvent due_{[this](bool) { Dial(); }};
  LinkEvent answer_{[this](bool answered) { OnAnswer(answered); }};
  grpc::Alarm alarm_;
  std::mutex mutex_; ///< guards the members below
  std::condition_variable changed_;
  Backoff backoff_;
  std::shared_ptr<grpc::Channel> channel_;                     ///< kept between attempts
  std::shared_ptr<grpc::ChannelCredentials> used_credentials_; ///< what `channel_` dials with
  int connect_retries_ = 0;                                    ///< attempts with `channel_`
  std::unique_ptr<Session> session_;                           ///< the latest; over unless `live_`
  bool live_ = false;                                          ///< the session is not over
  bool open_ = false;                                          ///< the controller took the session's call
  bool stopping_ = false;
  bool resting_ = true; ///< nothing is under way on the loop, and nothing will be
};

LinkConnection::LinkConnection(LinkConnectionOptions options, std::shared_ptr<LinkLoop> loop)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(loop))) {}
LinkConnection::~LinkConnection() = default;

void LinkConnection::Begin(Listener listener) {
  impl_->Begin(std::move(listener));
}

void LinkConnection::Stop() {
  impl_->Stop();
}

bool LinkConnection::Send(v1::AgentMessage message) {
  return impl_->Send(std::move(message));
}

void LinkConnection::Welcomed() {
  impl_->Welcomed();
}

Result<ModelChunk> LinkConnection::Fetch(const FetchModel& fetch) {
  return impl_->Fetch(fetch);
}

} // namespace avocet

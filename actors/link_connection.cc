#include "actors/link_connection.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "actors/control_codec.h"
#include "actors/rpc_status.h"
#include "avocet/v1/link.grpc.pb.h"
#include "messages/tls_credentials.h"

namespace avocet {
namespace {

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
  return arguments;
}

/// One open stream: a queue with a thread that writes from it, while the owner's thread reads.
class Session {
public:
  Session(v1::AgentLink::Stub& stub, size_t max_queued) : max_queued_(max_queued), stream_(stub.Session(&context_)) {}

  /// Until the controller took the call, or refused it, or cannot be reached.
  void Open() { stream_->WaitForInitialMetadata(); }
  void Begin() {
    writer_ = std::thread([this] { WriteAll(); });
  }
  bool Read(v1::ControllerMessage& message) { return stream_->Read(&message); }

  bool Send(v1::AgentMessage message) {
    const std::lock_guard lock(mutex_);
    if (closing_) return false;
    if (queue_.size() >= max_queued_) {
      context_.TryCancel();
      return false;
    }
    queue_.push_back(std::move(message));
    changed_.notify_one();
    return true;
  }

  /// No further messages; the reader sees the end once the queued ones are out and the controller closed.
  void Close() {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_one();
  }
  void Cancel() { context_.TryCancel(); }

  /// Only after Read said that it is over.
  grpc::Status Finish() {
    Close();
    if (writer_.joinable()) writer_.join();
    return stream_->Finish();
  }

private:
  void WriteAll() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (queue_.empty()) break;
      const v1::AgentMessage message = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      const bool ok = stream_->Write(message);
      lock.lock();
      if (!ok) return;
    }
    stream_->WritesDone();
  }

  size_t max_queued_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::ControllerMessage>> stream_;
  std::thread writer_;
  std::mutex mutex_; ///< of what follows
  std::condition_variable changed_;
  std::deque<v1::AgentMessage> queue_;
  bool closing_ = false;
};

} // namespace

class LinkConnection::Impl {
public:
  explicit Impl(LinkConnectionOptions options)
      : options_(std::move(options)), backoff_(options_.backoff, options_.seed) {}

  ~Impl() { Stop(); }

  void Begin(Listener listener) {
    listener_ = std::move(listener);
    thread_ = std::thread([this] { Run(); });
  }

  void Stop() {
    {
      std::unique_lock lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
      if (session_ != nullptr && !open_) session_->Cancel();
      if (session_ != nullptr) session_->Close();
      changed_.wait_for(lock, options_.last_words, [this] { return session_ == nullptr; });
      if (session_ != nullptr) session_->Cancel();
    }
    if (thread_.joinable()) thread_.join();
  }

  bool Send(v1::AgentMessage message) {
    const std::lock_guard lock(mutex_);
    return session_ != nullptr && open_ && session_->Send(std::move(message));
  }

  void Welcomed() {
    const std::lock_guard lock(mutex_);
    backoff_.Reset();
  }

  Result<ModelChunk> Fetch(const FetchModel& fetch) {
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
    if (!status.ok()) return FromRpcStatus(status).WithContext("controller " + options_.address);
    return FromProto(chunk);
  }

private:
  void Run() {
    while (!Stopping()) {
      listener_.down(RunSession().WithContext("controller " + options_.address));
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, backoff_.Next(), [this] { return stopping_; });
    }
  }

  /// Until the session is over; why it is.
  Status RunSession() {
    auto channel = Connect();
    if (!channel.ok()) return channel.status();
    const auto stub = v1::AgentLink::NewStub(*channel);
    Session session(*stub, options_.max_queued);
    if (!Adopt(*channel, &session)) return Cancelled("stopping");
    session.Open();
    session.Begin();
    v1::ControllerMessage message;
    bool read = Announce() && session.Read(message);
    for (; read; read = session.Read(message))
      listener_.said(std::move(message));
    const auto status = Release(session);
    return status.ok() ? Unavailable("the session ended") : FromRpcStatus(status);
  }

  Result<std::shared_ptr<grpc::Channel>> Connect() {
    auto credentials = MakeChannelCredentials(options_.tls, options_.address);
    if (!credentials.ok()) return credentials.status();
    return grpc::CreateCustomChannel(options_.address, *credentials, ArgumentsOf(options_));
  }

  bool Adopt(const std::shared_ptr<grpc::Channel>& channel, Session* session) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    channel_ = channel;
    session_ = session;
    return true;
  }

  /// False when the controller was not reached; Read then says so, too.
  bool Announce() {
    {
      const std::lock_guard lock(mutex_);
      open_ = channel_->GetState(false) == GRPC_CHANNEL_READY;
      if (!open_) return false;
    }
    listener_.up();
    return true;
  }

  grpc::Status Release(Session& session) {
    {
      const std::lock_guard lock(mutex_);
      session_ = nullptr;
      open_ = false;
      changed_.notify_all();
    }
    return session.Finish();
  }

  bool Stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  LinkConnectionOptions options_;
  Listener listener_;
  std::mutex mutex_; ///< of what follows
  std::condition_variable changed_;
  Backoff backoff_;
  std::shared_ptr<grpc::Channel> channel_; ///< the latest
  Session* session_ = nullptr;
  bool open_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

LinkConnection::LinkConnection(LinkConnectionOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
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

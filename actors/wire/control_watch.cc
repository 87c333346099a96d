#include "actors/wire/control_watch.h"

#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

#include "actors/errors.h"
#include "actors/wire/control_codec.h"
#include "actors/wire/rpc_status.h"

namespace avocet {

/// The events so far went out.
struct WantMoreEvents {};
/// The caller is gone.
struct WatchEnded {};

} // namespace avocet

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::WantMoreEvents)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(avocet::WatchEnded)

namespace avocet {
namespace {

/// Then the question is asked anew, so that nothing waits for ever on a lost answer.
constexpr Duration kAskAgainAfter = std::chrono::seconds(60);

/// The gRPC side of one watch. Lives until OnDone.
class EventStream : public grpc::ServerWriteReactor<v1::Event>, public std::enable_shared_from_this<EventStream> {
public:
  EventStream(std::string certificate, std::unique_ptr<Seat> seat, std::function<void()> on_done)
      : certificate_(std::move(certificate)), seat_(std::move(seat)), on_done_(std::move(on_done)) {}

  const std::string& certificate() const { return certificate_; }

  void Begin(caf::actor asker) {
    myself_ = shared_from_this();
    asker_ = std::move(asker);
    StartSendInitialMetadata();
    caf::anon_send(asker_, WantMoreEvents{});
  }

  void Write(std::vector<Event> events) {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    events_ = std::move(events);
    next_ = 0;
    WriteNext();
  }

  void End(const Status& status) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    last_word_ = ToRpcStatus(status);
    if (!writing_) Finish(last_word_);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) ended_ = true;
    if (ended_) return Finish(last_word_);
    WriteNext();
  }
  void OnCancel() override { End(Cancelled("the caller is gone")); }
  void OnDone() override {
    if (asker_) caf::anon_send(asker_, WatchEnded{});
    on_done_();
    const auto last = std::move(myself_); // maybe the last reference: nothing may follow
  }

private:
  /// Requires the lock.
  void WriteNext() {
    if (next_ == events_.size()) return caf::anon_send(asker_, WantMoreEvents{});
    message_ = ToProto(events_[next_++]);
    writing_ = true;
    StartWrite(&message_);
  }

  const std::string certificate_;
  std::unique_ptr<Seat> seat_;
  std::function<void()> on_done_;
  std::shared_ptr<EventStream> myself_;
  caf::actor asker_;
  v1::Event message_;
  std::mutex mutex_; ///< guards the members below
  std::vector<Event> events_;
  size_t next_ = 0;
  bool writing_ = false;
  bool ended_ = false;
  grpc::Status last_word_;
};

struct AskerState {
  uint64_t after = 0;
};

void AskForMore(caf::stateful_actor<AskerState>* self, const control_actor& controller,
                const std::shared_ptr<EventStream>& stream) {
  self->request(controller, kAskAgainAfter, WaitForEvents{self->state.after})
      .then(
          [=](EventList& list) {
            if (!list.events.empty()) self->state.after = list.events.back().sequence;
            stream->Write(std::move(list.events));
          },
          [=](const caf::error& error) {
            const Status status = ToStatus(error, "controller");
            if (status.code() == StatusCode::kDeadlineExceeded)
              self->send(self, WantMoreEvents{});
            else
              stream->End(status);
          });
}

caf::behavior Asker(caf::stateful_actor<AskerState>* self, const control_actor& controller,
                    const std::shared_ptr<EventStream>& stream, uint64_t after) {
  self->state.after = after;
  return {
      [=](WantMoreEvents) { AskForMore(self, controller, stream); },
      [=](WatchEnded) { self->quit(); },
  };
}

} // namespace

class EventWatches::Impl {
public:
  Impl(caf::actor_system& actor_system, control_actor control) : system(actor_system), controller(std::move(control)) {}

  void Forget(uint64_t id) {
    const std::lock_guard lock(mutex);
    streams.erase(id);
  }

  std::map<uint64_t, std::weak_ptr<EventStream>> Streams() {
    const std::lock_guard lock(mutex);
    return streams;
  }

  caf::actor_system& system;
  control_actor controller;
  std::mutex mutex; ///< guards the members below
  std::map<uint64_t, std::weak_ptr<EventStream>> streams;
  uint64_t last_id = 0;
  bool stopped = false;
};

EventWatches::EventWatches(caf::actor_system& system, control_actor controller)
    : impl_(std::make_shared<Impl>(system, std::move(controller))) {}
EventWatches::~EventWatches() = default;

grpc::ServerWriteReactor<v1::Event>* EventWatches::Begin(uint64_t after_sequence, std::string certificate,
                                                         std::unique_ptr<Seat> seat) {
  const std::lock_guard lock(impl_->mutex);
  const uint64_t id = ++impl_->last_id;
  auto stream =
      std::make_shared<EventStream>(std::move(certificate), std::move(seat), [impl = impl_, id] { impl->Forget(id); });
  impl_->streams[id] = stream;
  stream->Begin(impl_->system.spawn(Asker, impl_->controller, stream, after_sequence));
  if (impl_->stopped) stream->End(Unavailable("the controller is stopping"));
  return stream.get();
}

void EventWatches::EndUntrusted(const std::function<Status(const std::string& certificate)>& check) {
  for (const auto& [id, weak] : impl_->Streams()) {
    const auto stream = weak.lock();
    if (stream == nullptr || stream->certificate().empty()) continue;
    if (const Status status = check(stream->certificate()); !status.ok()) stream->End(status);
  }
}

void EventWatches::Stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopped = true;
  }
  for (const auto& [id, weak] : impl_->Streams()) {
    if (const auto stream = weak.lock()) stream->End(Unavailable("the controller is stopping"));
  }
}

} // namespace avocet

#include "node_agent/http_session.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/read_size.hpp>

#include "node_agent/http_answer.h"
#include "node_agent/http_body_reader.h"
#include "node_agent/http_head.h"
#include "node_agent/http_inference.h"
#include "node_agent/http_reply.h"

namespace avocet {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// What is read at once of a client whose next head is due: what of the body comes along is copied.
constexpr size_t kReadAtOnce = 8 * 1024;
/// The same of a chunked body, all of which is copied.
constexpr size_t kChunksAtOnce = 64 * 1024;
/// The same of a body that nobody wants.
constexpr size_t kDiscard = 16 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// A plain or a TLS connection: requests one after another, each answered in one write.
template <class Stream> class Session final : public HttpConnection,
                                              public std::enable_shared_from_this<Session<Stream>> {
public:
  template <class... Args> Session(HttpLoop& loop, NewConnection&& connection, Args&&... stream)
      : loop_(loop), shared_(loop.shared), surface_(connection.surface), seats_(*connection.seats),
        seat_(std::move(connection.seat)), refusal_(std::move(connection.refusal)),
        stream_(std::move(connection.socket), std::forward<Args>(stream)...),
        body_(shared_.limits, shared_.core->budget()) {
    if (seat_ != nullptr) seat_->connection = this;
    loop_.Add(*this);
    incoming_.reserve(kReadAtOnce);
  }
  ~Session() override {
    body_.End(); // before the connection stops counting
    if (seat_ != nullptr) {
      seat_->connection = nullptr;
      seats_.Leave(seat_);
    }
    loop_.Remove(*this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start() {
    if constexpr (kIsTls) {
      Enter(State::kIdle, limits().head_deadline);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = Self()](error_code error) {
        if (!error) self->ReadHead();
      });
    } else {
      error_code ignored; // of a connection that is gone already
      socket().non_blocking(true, ignored);
      ReadHead();
    }
  }

  void CheckDeadline(MonotonicTime now) override {
    if (now >= deadline_) Close();
  }
  void Drain() override {
    keeps_alive_ = false;
    if (state_ == State::kIdle) Close();
  }
  void Abort() override {
    keeps_alive_ = false;
    if (state_ == State::kRunning) inference_->Cancel();
    Close();
  }

private:
  enum class State { kIdle, kReadingBody, kCoding, kRunning, kWriting, kLingering };
  static constexpr bool kIsTls = !std::is_same_v<Stream, tcp::socket>;

  std::shared_ptr<Session> Self() { return this->shared_from_this(); }
  const HttpLimits& limits() const { return shared_.limits; }
  tcp::socket& socket() {
    if constexpr (kIsTls)
      return stream_.next_layer();
    else
      return stream_;
  }
  void Enter(State state, Duration limit) {
    state_ = state;
    const MonotonicTime now = MonotonicTime::clock::now();
    deadline_ = limit == Duration::max() ? MonotonicTime::max() : now + limit;
    if (seat_ != nullptr)
      seat_->idle_since.store(state == State::kIdle ? now.time_since_epoch().count() : HttpSeat::kBusy,
                              std::memory_order_relaxed);
  }
  /// Ends all operations; the last of them frees this object.
  void Close() {
    error_code ignored;
    socket().close(ignored);
    deadline_ = MonotonicTime::max();
  }

  // Reading

  void ReadHead() {
    if (shared_.is_draining) return Close();
    Enter(State::kIdle, std::exchange(is_new_, false) ? std::min(limits().head_deadline, limits().idle_deadline)
                                                      : limits().idle_deadline);
    keeps_alive_ = true;
    is_head_begun_ = false;
    head_.emplace(surface_, limits());
    if (!is_reading_) TakeHead();
  }

  /// What the client sends next, here or in the buffer until its turn comes.
  void ReadMore(size_t at_once = kReadAtOnce) {
    is_reading_ = true;
    const size_t most = boost::beast::read_size(incoming_, at_once);
    stream_.async_read_some(incoming_.prepare(most), [self = Self()](error_code error, size_t bytes) {
      self->is_reading_ = false;
      self->incoming_.commit(bytes);
      if (self->socket().is_open()) self->OnRead(error);
    });
  }

  void OnRead(error_code error) {
    if (state_ == State::kIdle) return error ? Close() : TakeHead();
    if (state_ == State::kReadingBody) return error ? Close() : TakeChunks();
    if (state_ == State::kLingering) return error ? Close() : Discard();
    if (!error) return;                            // the next request came before the answer to this one
    if (state_ == State::kRunning) return Abort(); // the client went away
    keeps_alive_ = false;
  }

  void TakeHead() {
    if (incoming_.size() > 0 && !std::exchange(is_head_begun_, true))
      deadline_ = std::min(deadline_, MonotonicTime::clock::now() + limits().head_deadline);
    const auto progress = head_->Put(incoming_);
    if (progress == HttpHeadReader::Progress::kNeedsMore) return ReadMore();
    if (progress == HttpHeadReader::Progress::kRefused) return Refuse(std::move(head_->refusal()));
    if (seat_ == nullptr) return Refuse(ErrorReply(503, refusal_ + "; retry"));
    keeps_alive_ = head().keeps_alive && !shared_.is_draining;
    Enter(State::kReadingBody, limits().body_deadline);
    if (const Status begun = body_.Begin(*head_, incoming_); !begun.ok()) return RefuseBody(begun);
    if (head().expects_continue && !body_.is_complete()) return WriteContinue();
    TakeAtOnce();
    ReadBody();
  }

  const HttpRequestHead& head() const { return head_->head(); }

  /// What the kernel has of the body already: every operation of Asio costs a round of the loop.
  void TakeAtOnce() {
    const auto missing = body_.missing();
    if (kIsTls || missing.empty()) return;
    error_code later; // seen again by the next read
    body_.Took(socket().read_some(asio::buffer(missing.data(), missing.size()), later));
  }

  void WriteContinue() {
    asio::async_write(stream_, asio::buffer(kContinue), [self = Self()](error_code error, size_t) {
      if (error) return self->Close();
      self->ReadBody();
    });
  }

  void ReadBody() {
    if (body_.is_complete()) return Serve();
    if (body_.is_chunked()) return ReadChunks();
    const auto missing = body_.missing();
    stream_.async_read_some(asio::buffer(missing.data(), missing.size()),
                            [self = Self()](error_code error, size_t bytes) {
                              if (error) return self->Close();
                              self->body_.Took(bytes);
                              self->ReadBody();
                            });
  }

  void ReadChunks() {
    incoming_.reserve(kChunksAtOnce);
    ReadMore(kChunksAtOnce);
  }

  void TakeChunks() {
    if (const Status taken = body_.TakeChunks(incoming_); !taken.ok()) return RefuseBody(taken);
    if (body_.is_complete() && incoming_.size() == 0) incoming_.shrink_to_fit();
    ReadBody();
  }

  void RefuseBody(const Status& why) {
    shared_.core->CountRefusal(why.code());
    Refuse(ErrorReply(why));
  }

  // Answering

  void Serve() {
    const auto& [status, route] = head().match;
    if (status != 200) return Send(AnswerMismatch(status, head_->target()));
    if (route.action == HttpAction::kMetrics)
      return Aside(
          true, [this] { reply_ = Metrics(); }, &Session::SendMetrics);
    if (route.action != HttpAction::kInfer) return Send(AnswerQuestion(*shared_.core, route));
    if (head().coding == HttpCoding::kIdentity) return Infer();
    Aside(
        true, [this] { inflated_ = body_.Inflate(); }, &Session::ServeInflated);
  }

  void ServeInflated() {
    if (!socket().is_open()) return;
    if (inflated_.ok()) return Infer();
    shared_.core->CountRefusal(inflated_.code());
    Send(ErrorReply(inflated_));
  }

  void Infer() {
    const auto bytes = body_.bytes();
    const HttpInferBody body{bytes, head().json_bytes.value_or(bytes.size()),
                             static_cast<size_t>(limits().max_body_bytes), head().json_bytes == 0};
    inference_.emplace(*shared_.core, MonotonicTime::clock::now(), body);
    if (const Status found = inference_->Open(head().match.route); !found.ok()) return Send(inference_->Fail(found));
    Aside(
        inference_->is_long_to_decode(), [this] { inference_->Decode(); }, &Session::Begin);
  }

  HttpReply Metrics() {
    HttpReply reply;
    reply.text = shared_.metrics({shared_.connections, shared_.refused_connections, shared_.evicted_connections});
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return reply;
  }

  void SendMetrics() { Send(std::move(reply_)); }

  // Inference: begun and answered on the loop's thread; what takes long in between is done aside.

  /// Does `work` here and now, or elsewhere when it takes long; then goes on with `next`.
  template <class Work> void Aside(bool is_long, Work work, void (Session::*next)()) {
    Enter(State::kCoding, Duration::max());
    if (!is_long) {
      work();
      return (this->*next)();
    }
    asio::post(shared_.coders, [self = Self(), work = std::move(work), next]() mutable {
      work();
      auto& io = self->loop_.io;
      asio::post(io, [self = std::move(self), next] { (self.get()->*next)(); });
    });
  }

  void Begin() {
    if (!socket().is_open()) return Vanished();
    Enter(State::kRunning, Duration::max());
    running_ = Self();
    const auto progress = inference_->Begin([this] {
      auto& io = loop_.io;
      asio::post(io, [self = std::move(running_)] { self->OnRun(); });
    });
    if (progress.ok() && *progress == InferenceProgress::kQueued) return WatchClient();
    const auto self = std::exchange(running_, nullptr);
    progress.ok() ? OnRun() : Send(inference_->Fail(progress.status()));
  }

  /// Notices a client that goes away, and saves the next request a round of the loop.
  void WatchClient() {
    if (!is_reading_ && incoming_.size() == 0) ReadMore();
  }

  void OnRun() {
    if (!socket().is_open()) return Vanished();
    Aside(
        inference_->is_long_to_encode(head().answer_coding), [this] { inference_->Encode(head().answer_coding); },
        &Session::SendOutputs);
  }

  void SendOutputs() {
    if (!socket().is_open()) return Vanished();
    Send(inference_->End());
  }

  void Vanished() { (void)inference_->Fail(Cancelled("the client went away")); }

  // Writing

  /// Answers although the request was not read to its end; nothing else can follow on this connection.
  void Refuse(HttpReply reply) {
    keeps_alive_ = false;
    Send(std::move(reply));
  }

  void Send(HttpReply reply) {
    Enter(State::kWriting, limits().write_deadline);
    reply_ = std::move(reply);
    body_.lease().Grow(reply_.size());
    if (shared_.is_draining) keeps_alive_ = false;
    reply_head_ = HeadOf(reply_, {keeps_alive_, head().is_http10});
    if (head().is_head) reply_ = {};
    if (reply_.text.size() < kReadAtOnce)
      reply_head_ += std::exchange(reply_.text, {}); // one buffer less for the kernel, one record for TLS
    buffers_.assign({asio::buffer(reply_head_), asio::buffer(reply_.text)});
    for (const auto tail : reply_.tails)
      buffers_.emplace_back(tail.data(), tail.size());
    if (SendAtOnce()) return OnSent({});
    asio::async_write(stream_, std::span<const asio::const_buffer>(buffers_),
                      [self = Self()](error_code error, size_t) { self->OnSent(error); });
  }

  /// Gives the kernel what it takes now; true when that is all. Not with the next request in the buffer: one
  /// answer would follow the other on the stack.
  bool SendAtOnce() {
    if (kIsTls || incoming_.size() > 0) return false;
    error_code later; // seen again by the next write
    size_t sent = socket().write_some(std::span<const asio::const_buffer>(buffers_), later);
    for (asio::const_buffer& buffer : buffers_) {
      const size_t part = std::min(sent, buffer.size());
      buffer += part;
      sent -= part;
    }
    return asio::buffer_size(buffers_) == 0;
  }

  void OnSent(error_code error) {
    if (error) return Close();
    reply_ = {};
    inference_.reset();
    body_.End();
    keeps_alive_&& socket().is_open() ? ReadHead() : Linger();
  }

  /// Lets the client read the answer before the connection goes: closing at once while it still sends
  /// would reset it.
  void Linger() {
    error_code error;
    socket().shutdown(tcp::socket::shutdown_send, error);
    if (error) return Close();
    Enter(State::kLingering, limits().linger);
    if (!is_reading_) Discard();
  }

  void Discard() {
    discarded_.resize(kDiscard);
    socket().async_read_some(asio::buffer(discarded_),
                             [self = Self()](error_code error, size_t) { error ? self->Close() : self->Discard(); });
  }

  HttpLoop& loop_;
  HttpShared& shared_;
  const HttpSurface surface_;
  HttpSeats& seats_;
  const std::shared_ptr<HttpSeat> seat_; ///< null: refused
  const std::string refusal_;
  Stream stream_;
  State state_ = State::kIdle;
  MonotonicTime deadline_ = MonotonicTime::max();
  bool keeps_alive_ = true;
  bool is_new_ = true;         ///< no head was waited for yet
  bool is_head_begun_ = false; ///< the first byte of it has come
  bool is_reading_ = false;    ///< into `incoming_`, which must not be touched meanwhile

  boost::beast::flat_buffer incoming_; ///< heads, and what comes along with them
  std::optional<HttpHeadReader> head_;
  HttpBodyReader body_; ///< holds the share of the budget of the answer, too
  Status inflated_;     ///< of a compressed one

  std::optional<HttpInference> inference_;
  std::shared_ptr<Session> running_; ///< keeps this alive while only the device knows of it

  HttpReply reply_;
  std::string reply_head_;
  std::vector<asio::const_buffer> buffers_;
  std::vector<char> discarded_;
};

} // namespace

void ServeConnection(HttpLoop& loop, NewConnection connection) {
  if (connection.tls == nullptr) return std::make_shared<Session<tcp::socket>>(loop, std::move(connection))->Start();
  using TlsStream = asio::ssl::stream<tcp::socket>;
  auto& tls = *connection.tls;
  std::make_shared<Session<TlsStream>>(loop, std::move(connection), tls)->Start();
}

} // namespace avocet

#include "node_agent/http/http_session.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/read_size.hpp>

#include "node_agent/http/http_exchange.h"
#include "node_agent/http/socket_progress.h"
#include "node_agent/http/transfer_rate.h"

namespace avocet {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Step = HttpExchange::Step;

/// Bytes that are read at once of a chunked body, all of which is copied.
constexpr size_t kChunksAtOnce = 64 * 1024;
/// Bytes that are read at once from a client whose request was refused; they are dropped.
constexpr size_t kDiscard = 16 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// A plain or a TLS connection: socket, deadlines and seat. What is said on it is the HttpExchange's.
template <class Stream> class Session final : public HttpConnection,
                                              public std::enable_shared_from_this<Session<Stream>> {
public:
  template <class... Args> Session(HttpLoop& loop, NewConnection&& connection, Args&&... stream)
      : loop_(loop), seats_(*connection.seats), seat_(std::move(connection.seat)),
        refusal_(std::move(connection.refusal)), stream_(std::move(connection.socket), std::forward<Args>(stream)...),
        rate_(loop.shared.limits.least_rate, loop.shared.limits.rate_period),
        exchange_(loop.shared, connection.surface, ShareOf(loop, seat_.get())) {
    if (seat_ != nullptr) seat_->connection = this;
    loop_.Add(*this);
  }
  ~Session() override {
    exchange_.Release(); // before the connection stops counting: who waits for its end may look at the budget
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
    if (now >= deadline_) return Close();
    if (state_ != State::kReadingBody && state_ != State::kWriting) return;
    // Begun here, not where the transfer begins: most are over before anybody looks, and need no system call.
    if (!std::exchange(is_rate_known_, true)) return rate_.Begin(now, Transferred());
    if (!rate_.IsTooSlow(now, Transferred())) return;
    ++loop_.shared.slow_connections;
    Close();
  }
  void Drain() override {
    exchange_.EndWithThisAnswer();
    if (state_ == State::kIdle) Close();
  }
  void Abort() override {
    exchange_.EndWithThisAnswer();
    if (state_ == State::kRunning) exchange_.Cancel();
    Close();
  }

private:
  enum class State { kIdle, kReadingBody, kComputing, kRunning, kWriting, kLingering };
  static constexpr bool kIsTls = !std::is_same_v<Stream, tcp::socket>;

  static std::shared_ptr<BudgetShare> ShareOf(HttpLoop& loop, const HttpSeat* seat) {
    return seat != nullptr ? loop.shared.core->clients().Of({seat->client.begin(), seat->client.end()}) : nullptr;
  }
  std::shared_ptr<Session> Self() { return this->shared_from_this(); }
  const HttpLimits& limits() const { return loop_.shared.limits; }
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
    is_rate_known_ = false;
    if (seat_ != nullptr)
      seat_->idle_since.store(state == State::kIdle ? now.time_since_epoch().count() : HttpSeat::kBusy,
                              std::memory_order_relaxed);
  }
  /// Of the body or the answer. What our own kernel took of an answer has reached nobody yet.
  uint64_t Transferred() {
    const SocketProgress progress = ProgressOf(socket().native_handle());
    return state_ == State::kReadingBody ? progress.received : progress.acknowledged;
  }
  /// Ends all operations; the last of them frees this object.
  void Close() {
    error_code ignored;
    socket().close(ignored);
    deadline_ = MonotonicTime::max();
  }

  void Follow(Step step) {
    switch (step) {
    case Step::kReadHead:
      return ReadMore(HttpExchange::kReadAtOnce);
    case Step::kWriteContinue:
      return WriteContinue();
    case Step::kReadBody:
      return ReadBody();
    case Step::kCompute:
      return Compute();
    case Step::kRun:
      return Run();
    case Step::kWait:
      return WatchClient();
    case Step::kSend:
      return Send();
    }
  }

  // Reading

  void ReadHead() {
    if (loop_.shared.is_draining) return Close();
    Enter(State::kIdle, std::exchange(is_new_, false) ? std::min(limits().head_deadline, limits().idle_deadline)
                                                      : limits().idle_deadline);
    is_head_begun_ = false;
    exchange_.Begin();
    if (!is_reading_) TakeHead();
  }

  /// What the client sends next, now or (in the buffer) when its turn comes.
  void ReadMore(size_t at_once) {
    is_reading_ = true;
    auto& incoming = exchange_.incoming();
    const size_t most = boost::beast::read_size(incoming, at_once);
    stream_.async_read_some(incoming.prepare(most), [self = Self()](error_code error, size_t bytes) {
      self->is_reading_ = false;
      self->exchange_.incoming().commit(bytes);
      if (self->socket().is_open()) self->OnRead(error);
    });
  }

  void OnRead(error_code error) {
    if (state_ == State::kIdle) return error ? Close() : TakeHead();
    if (state_ == State::kReadingBody) return error ? Close() : Follow(exchange_.TakeChunks());
    if (state_ == State::kLingering) return error ? Close() : Discard();
    if (!error) return;                            // the next request came before the answer to this one
    if (state_ == State::kRunning) return Abort(); // the client went away
    exchange_.EndWithThisAnswer();
  }

  void TakeHead() {
    if (exchange_.incoming().size() > 0 && !std::exchange(is_head_begun_, true))
      deadline_ = std::min(deadline_, MonotonicTime::clock::now() + limits().head_deadline);
    const Step step = exchange_.TakeHead(seat_ != nullptr, refusal_);
    if (step != Step::kReadBody && step != Step::kWriteContinue) return Follow(step);

    Enter(State::kReadingBody, limits().body_deadline);
    const bool reads_now = !kIsTls && step == Step::kReadBody && !exchange_.is_chunked();
    Follow(reads_now ? TakeAtOnce() : step);
  }

  /// What the kernel has of the body already: every operation of Asio costs a round of the loop.
  Step TakeAtOnce() {
    const auto missing = exchange_.missing();
    error_code later; // seen again by the next read
    return exchange_.TakeBody(socket().read_some(asio::buffer(missing.data(), missing.size()), later));
  }

  void WriteContinue() {
    asio::async_write(stream_, asio::buffer(kContinue), [self = Self()](error_code error, size_t) {
      if (error) return self->Close();
      self->ReadBody();
    });
  }

  void ReadBody() {
    if (exchange_.is_chunked()) return ReadChunks();
    const auto missing = exchange_.missing();
    stream_.async_read_some(asio::buffer(missing.data(), missing.size()),
                            [self = Self()](error_code error, size_t bytes) {
                              if (error) return self->Close();
                              self->Follow(self->exchange_.TakeBody(bytes));
                            });
  }

  void ReadChunks() {
    exchange_.incoming().reserve(kChunksAtOnce);
    ReadMore(kChunksAtOnce);
  }

  // Answering: on the loop's thread, except for what takes long.

  void Compute() {
    Enter(State::kComputing, Duration::max());
    if (!exchange_.is_long()) {
      exchange_.Compute();
      return OnComputed();
    }
    asio::post(loop_.shared.coders, [self = Self()]() mutable {
      self->exchange_.Compute();
      auto& io = self->loop_.io;
      asio::post(io, [self = std::move(self)] { self->OnComputed(); });
    });
  }

  void OnComputed() {
    if (!socket().is_open()) return exchange_.Abandon();
    Follow(exchange_.AfterCompute());
  }

  void Run() {
    Enter(State::kRunning, Duration::max());
    running_ = Self();
    const Step step = exchange_.Run([this] {
      auto& io = loop_.io;
      asio::post(io, [self = std::move(running_)] { self->OnRun(); });
    });

    // While it waits, `running_` belongs to the device's thread: it may be gone already.
    if (step == Step::kWait) return Follow(step);
    const auto self = std::exchange(running_, nullptr);
    Follow(step);
  }

  void OnRun() {
    if (!socket().is_open()) return exchange_.Abandon();
    Follow(exchange_.AfterRun());
  }

  /// Notices a client that goes away, and saves the next request a round of the loop.
  void WatchClient() {
    if (!is_reading_ && exchange_.incoming().size() == 0) ReadMore(HttpExchange::kReadAtOnce);
  }

  // Writing

  void Send() {
    Enter(State::kWriting, limits().write_deadline);
    if (SendAtOnce()) return OnSent({});
    asio::async_write(stream_, std::span<const asio::const_buffer>(exchange_.unsent()),
                      [self = Self()](error_code error, size_t) { self->OnSent(error); });
  }

  /// Gives the kernel what it takes now; true when that is all. Not with the next request in the buffer: one
  /// answer would follow the other on the stack.
  bool SendAtOnce() {
    if (kIsTls || exchange_.incoming().size() > 0) return false;
    auto& unsent = exchange_.unsent();
    error_code later; // seen again by the next write
    size_t sent = socket().write_some(std::span<const asio::const_buffer>(unsent), later);
    for (asio::const_buffer& buffer : unsent) {
      const size_t part = std::min(sent, buffer.size());
      buffer += part;
      sent -= part;
    }
    return asio::buffer_size(unsent) == 0;
  }

  void OnSent(error_code error) {
    if (error) return Close();
    exchange_.Release();
    exchange_.keeps_alive() && socket().is_open() ? ReadHead() : Linger();
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
  HttpSeats& seats_;
  const std::shared_ptr<HttpSeat> seat_; ///< null: refused
  const std::string refusal_;
  Stream stream_;
  State state_ = State::kIdle;
  MonotonicTime deadline_ = MonotonicTime::max();
  TransferRate rate_;          ///< of the body or the answer,
  bool is_rate_known_ = false; ///< once it is looked at
  bool is_new_ = true;         ///< no head was waited for yet
  bool is_head_begun_ = false; ///< the first byte of the head that is due has come
  bool is_reading_ = false;    ///< into the exchange's incoming(), which must not be touched meanwhile
  HttpExchange exchange_;
  std::shared_ptr<Session> running_; ///< keeps this alive while only the device knows of it
  std::vector<char> discarded_;
};

} // namespace

void ServeConnection(HttpLoop& loop, NewConnection connection) {
  if (connection.tls == nullptr) return std::make_shared<Session<tcp::socket>>(loop, std::move(connection))->Start();
  using TlsStream = asio::ssl::stream<tcp::socket>;
  const auto tls = connection.tls; // until the stream has taken what it needs of it
  std::make_shared<Session<TlsStream>>(loop, std::move(connection), *tls)->Start();
}

} // namespace avocet

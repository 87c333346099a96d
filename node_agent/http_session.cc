#include "node_agent/http_session.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "node_agent/http_body.h"
#include "node_agent/http_infer_request.h"
#include "node_agent/http_infer_response.h"
#include "node_agent/http_metadata_codec.h"
#include "node_agent/http_reply.h"
#include "node_agent/inference.h"

namespace avocet {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

/// First capacity of the buffer that headers are read into: what of the body comes along is copied.
constexpr size_t kHeadBuffer = 8 * 1024;
/// JSON beyond this is decoded and encoded aside: about 0.2 ms.
constexpr size_t kLargeJson = 64 * 1024;
/// What is read at once of a body that nobody wants.
constexpr size_t kDiscard = 16 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::optional<uint64_t> ParseCount(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view View(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// A plain or a TLS connection: requests one after another, each answered in one write.
template <class Stream> class Session final : public HttpConnection,
                                              public std::enable_shared_from_this<Session<Stream>> {
public:
  template <class... Args> Session(HttpLoop& loop, HttpSurface surface, bool is_refused, Args&&... stream)
      : loop_(loop), shared_(loop.shared), surface_(surface), is_refused_(is_refused),
        stream_(std::forward<Args>(stream)...), lease_(shared_.core->budget()) {
    loop_.Add(*this);
    head_buffer_.reserve(kHeadBuffer);
  }
  ~Session() override {
    lease_.Release(); // before the connection stops counting
    loop_.Remove(*this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start() {
    if constexpr (kIsTls) {
      Enter(State::kIdle, limits().idle_deadline);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = Self()](error_code error) {
        if (!error) self->ReadHead();
      });
    } else {
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
    deadline_ = limit == Duration::max() ? MonotonicTime::max() : MonotonicTime::clock::now() + limit;
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
    Enter(State::kIdle, limits().idle_deadline);
    keeps_alive_ = true;
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(limits().max_header_bytes));
    parser_->body_limit(limits().max_body_bytes);
    http::async_read_header(stream_, head_buffer_, *parser_,
                            [self = Self()](error_code error, size_t) { self->OnHead(error); });
  }

  void OnHead(error_code error) {
    if (!socket().is_open()) return;
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return Refuse(
          ErrorReply(431, "the header is longer than " + std::to_string(limits().max_header_bytes) + " bytes"));
    if (error == http::error::body_limit) return Refuse(TooLarge());
    if (error == http::error::end_of_stream || error == http::error::partial_message) return Close();
    if (error && error.category() == http::make_error_code(http::error::end_of_stream).category())
      return Refuse(ErrorReply(400, "malformed HTTP: " + error.message()));
    if (error) return Close();
    if (is_refused_) {
      ++shared_.refused_connections;
      return Refuse(ErrorReply(503, "more than " + std::to_string(limits().max_connections) + " connections; retry"));
    }
    auto& head = parser_->get();
    keeps_alive_ = head.keep_alive() && !shared_.is_draining;
    is_http10_ = head.version() < 11;
    match_ = MatchRoute(surface_, View(head.method_string()), View(head.target()));
    BeginBody(head);
  }

  HttpReply TooLarge() const {
    return ErrorReply(413, "the body is longer than " + std::to_string(limits().max_body_bytes) + " bytes");
  }

  template <class Head> void BeginBody(const Head& head) {
    if (parser_->chunked()) return Refuse(ErrorReply(411, "chunked bodies are not served; send Content-Length"));
    const auto encoding = View(head[http::field::content_encoding]);
    if (!encoding.empty() && encoding != "identity")
      return Refuse(ErrorReply(415, "compressed bodies are not served; send the body without Content-Encoding"));
    const uint64_t length = parser_->content_length().value_or(0);
    if (length > limits().max_body_bytes) return Refuse(TooLarge());
    const auto header_length = View(head["Inference-Header-Content-Length"]);
    const auto json_bytes = header_length.empty() ? std::optional<uint64_t>(length) : ParseCount(header_length);
    if (!json_bytes || *json_bytes > length)
      return Refuse(ErrorReply(400, "Inference-Header-Content-Length must be a number up to the body's length"));
    if (!lease_.TryGrow(length)) return Refuse(TooMuchInFlight());
    json_bytes_ = static_cast<size_t>(*json_bytes);
    const bool waits = View(head[http::field::expect]) == "100-continue" && head_buffer_.size() < length;
    TakeBuffered(static_cast<size_t>(length));
    waits ? WriteContinue() : ReadBody();
  }

  HttpReply TooMuchInFlight() {
    shared_.core->CountRefusal(StatusCode::kUnavailable);
    return ErrorReply(503, "requests in flight hold " + std::to_string(shared_.core->budget().used()) + " of " +
                               std::to_string(shared_.core->budget().limit()) + " bytes; retry");
  }

  /// What came along with the header; the rest is read into its place.
  void TakeBuffered(size_t length) {
    Enter(State::kReadingBody, limits().body_deadline);
    if (length > 0) body_ = HttpBody(length, json_bytes_);
    have_ = std::min(length, head_buffer_.size());
    if (have_ > 0) std::memcpy(body_.bytes().data(), head_buffer_.data().data(), have_);
    head_buffer_.consume(have_);
  }

  void WriteContinue() {
    asio::async_write(stream_, asio::buffer(kContinue), [self = Self()](error_code error, size_t) {
      if (error) return self->Close();
      self->ReadBody();
    });
  }

  void ReadBody() {
    const auto missing = body_.bytes().subspan(have_);
    if (missing.empty()) return Serve();
    stream_.async_read_some(asio::buffer(missing.data(), missing.size()),
                            [self = Self()](error_code error, size_t bytes) {
                              if (error) return self->Close();
                              self->have_ += bytes;
                              self->ReadBody();
                            });
  }

  // Answering

  void Serve() {
    received_ = MonotonicTime::clock::now();
    if (match_.status == 200 && match_.route.action == HttpAction::kInfer) return Decode();
    Send(match_.status == 200 ? Answer() : Mismatch());
  }

  HttpReply Mismatch() const {
    const std::string target(View(parser_->get().target()).substr(0, kShownTarget));
    switch (match_.status) {
    case 405:
      return ErrorReply(405, "Method Not Allowed");
    case 501:
      return ErrorReply(501, "'" + target + "' is an extension that is not served");
    case 400:
      return ErrorReply(400, "'" + target + "' is not percent-encoded");
    default:
      return ErrorReply(404, "there is no '" + target + "'");
    }
  }

  static HttpReply Json(std::string text, int status = 200) {
    HttpReply reply;
    reply.status = status;
    reply.text = std::move(text);
    return reply;
  }

  HttpReply Answer() {
    const InferenceCore& core = *shared_.core;
    const auto& [action, model, version] = match_.route;
    switch (action) {
    case HttpAction::kLive:
      return Json(HealthJson("live", true));
    case HttpAction::kReady:
      return Json(HealthJson("ready", core.ready()), core.ready() ? 200 : 400);
    case HttpAction::kServerMetadata:
      return Json(ServerMetadataJson(core.options()));
    case HttpAction::kModelReady: {
      const auto found = core.Find(model, version);
      return found.ok() ? Json(ModelReadyJson(model, true)) : ErrorReply(found.status());
    }
    case HttpAction::kModelMetadata: {
      const auto served = core.Describe(model, version);
      return served.ok() ? Json(ModelMetadataJson(*served)) : ErrorReply(served.status());
    }
    case HttpAction::kModelConfig: {
      const auto served = core.Describe(model, version);
      return served.ok() ? Json(ModelConfigJson(*served)) : ErrorReply(served.status());
    }
    case HttpAction::kModelStatistics: {
      const auto all = core.Statistics(model, version);
      return all.ok() ? Json(StatisticsJson(*all)) : ErrorReply(all.status());
    }
    case HttpAction::kRepositoryIndex:
      return Json(IndexJson(core.Index()));
    case HttpAction::kRepositoryChange:
      return ErrorReply(InferenceCore::RefuseRepositoryChange());
    case HttpAction::kMetrics:
      return Metrics();
    case HttpAction::kInfer:
      break;
    }
    return ErrorReply(500, "no such action");
  }

  HttpReply Metrics() {
    HttpReply reply = Json(shared_.metrics({shared_.connections, shared_.refused_connections}));
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return reply;
  }

  // Inference: opened and begun on the loop's thread; large JSON is decoded aside in between.

  void Decode() {
    inference_.emplace(*shared_.core, received_);
    if (const Status status = inference_->Open(match_.route.model, match_.route.version); !status.ok())
      return Fail(status);
    const HttpInferBody body{body_.bytes(), json_bytes_, static_cast<size_t>(limits().max_body_bytes)};
    Aside(
        json_bytes_ > kLargeJson, [this, body] { decoded_.emplace(DecodeInferRequest(body)); }, &Session::Begin);
  }

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
    if (!decoded_->ok()) return Fail(decoded_->status());
    HttpInferRequest& request = **decoded_;
    Enter(State::kRunning, Duration::max());
    Watch();
    running_ = Self();
    const Status status =
        inference_->Begin({std::move(request.inputs), request.outputs, std::nullopt, &request.parameters}, [this] {
          auto& io = loop_.io;
          asio::post(io, [self = std::move(running_)] { self->OnRun(); });
        });
    if (status.ok()) return;
    const auto self = std::exchange(running_, nullptr);
    Fail(status);
  }

  void OnRun() {
    if (!socket().is_open()) return Vanished();
    if (!inference_->status().ok()) return Fail(inference_->status());
    auto answer = inference_->answer();
    if (!answer.ok()) return Fail(answer.status());
    const bool is_long = JsonOutputBytes(**decoded_, *answer) > kLargeJson;
    Aside(
        is_long,
        [this, answer = std::move(*answer)] {
          encoded_.emplace(EncodeInferResponse(**decoded_, match_.route.model, answer));
        },
        &Session::SendOutputs);
  }

  void SendOutputs() {
    if (!socket().is_open()) return Vanished();
    if (!encoded_->ok()) return Fail(encoded_->status());
    inference_->End({});
    Send(std::move(**encoded_));
  }

  void Fail(const Status& status) {
    inference_->End(status);
    Send(ErrorReply(status));
  }

  void Vanished() { inference_->End(Cancelled("the client went away")); }

  /// Notices a client that goes away while its request waits or runs.
  void Watch() {
    if (std::exchange(is_watched_, true)) return;
    socket().async_wait(tcp::socket::wait_read, [self = Self()](error_code error) {
      self->is_watched_ = false;
      if (!error && self->state_ == State::kRunning && self->HasLeft()) self->Abort();
    });
  }

  bool HasLeft() {
    char next = 0;
    const auto bytes = ::recv(socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  }

  // Writing

  /// Answers although the request was not read to its end; nothing else can follow on this connection.
  void Refuse(HttpReply reply) {
    keeps_alive_ = false;
    Send(std::move(reply));
  }

  void Send(HttpReply reply) {
    Enter(State::kWriting, limits().write_deadline);
    reply_ = std::move(reply);
    lease_.Grow(reply_.size());
    if (shared_.is_draining) keeps_alive_ = false;
    head_ = HeadOf(reply_, {keeps_alive_, is_http10_});
    if (reply_.text.size() < kHeadBuffer)
      head_ += std::exchange(reply_.text, {}); // one buffer less for the kernel, one record for TLS
    buffers_.assign({asio::buffer(head_), asio::buffer(reply_.text)});
    for (const auto tail : reply_.tails)
      buffers_.emplace_back(tail.data(), tail.size());
    asio::async_write(stream_, std::span<const asio::const_buffer>(buffers_),
                      [self = Self()](error_code error, size_t) { self->OnSent(error); });
  }

  void OnSent(error_code error) {
    if (error) return Close();
    reply_ = {};
    encoded_.reset();
    decoded_.reset();
    inference_.reset();
    body_ = {};
    lease_.Release();
    keeps_alive_&& socket().is_open() ? ReadHead() : Linger();
  }

  /// Lets the client read the answer before the connection goes: closing at once while it still sends
  /// would reset it.
  void Linger() {
    error_code error;
    socket().shutdown(tcp::socket::shutdown_send, error);
    if (error) return Close();
    Enter(State::kLingering, limits().linger);
    discarded_.resize(kDiscard);
    Discard();
  }

  void Discard() {
    socket().async_read_some(asio::buffer(discarded_),
                             [self = Self()](error_code error, size_t) { error ? self->Close() : self->Discard(); });
  }

  static constexpr size_t kShownTarget = 128;

  HttpLoop& loop_;
  HttpShared& shared_;
  const HttpSurface surface_;
  const bool is_refused_;
  Stream stream_;
  State state_ = State::kIdle;
  MonotonicTime deadline_ = MonotonicTime::max();
  bool keeps_alive_ = true;
  bool is_http10_ = false;
  bool is_watched_ = false;

  boost::beast::flat_buffer head_buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  HttpMatch match_;
  ByteBudget::Lease lease_; ///< of the body and of the answer
  HttpBody body_;
  size_t json_bytes_ = 0;
  size_t have_ = 0; ///< bytes of the body that came
  MonotonicTime received_{};

  std::optional<Inference> inference_;
  std::optional<Result<HttpInferRequest>> decoded_;
  std::optional<Result<HttpReply>> encoded_;
  std::shared_ptr<Session> running_; ///< keeps this alive while only the device knows of it

  HttpReply reply_;
  std::string head_;
  std::vector<asio::const_buffer> buffers_;
  std::vector<char> discarded_;
};

/// How often deadlines are looked at: a fraction of the shortest, at most every second.
Duration SweepEvery(const HttpLimits& limits) {
  const Duration shortest =
      std::min({limits.idle_deadline, limits.body_deadline, limits.write_deadline, limits.linger});
  return std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(1), std::chrono::seconds(1));
}

} // namespace

void HttpLoop::Add(HttpConnection& connection) {
  connections.insert(&connection);
  if (connections.size() == 1) Sweep();
}

void HttpLoop::Remove(HttpConnection& connection) {
  connections.erase(&connection);
  if (connections.empty()) sweep.cancel();
  --shared.connections;
}

void HttpLoop::Sweep() {
  const MonotonicTime now = MonotonicTime::clock::now();
  for (HttpConnection* connection : connections)
    connection->CheckDeadline(now);
  sweep.expires_after(SweepEvery(shared.limits));
  sweep.async_wait([this](error_code error) {
    if (!error && !connections.empty()) Sweep();
  });
}

void ServeConnection(HttpLoop& loop, NewConnection connection) {
  if (connection.tls == nullptr)
    return std::make_shared<Session<tcp::socket>>(loop, connection.surface, connection.is_refused,
                                                  std::move(connection.socket))
        ->Start();
  using TlsStream = asio::ssl::stream<tcp::socket>;
  std::make_shared<Session<TlsStream>>(loop, connection.surface, connection.is_refused, std::move(connection.socket),
                                       *connection.tls)
      ->Start();
}

} // namespace avocet

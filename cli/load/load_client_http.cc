#include <algorithm>
#include <cerrno>
#include <charconv>
#include <deque>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http.hpp>
#include <pthread.h>
#include <sys/socket.h>

#include "cli/load/load_http_codec.h"
#include "cli/load/load_http_stream.h"
#include "cli/load/load_tensors.h"
#include "cli/load/load_transport.h"

namespace avocet {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr size_t kDefaultMaxConnections = 256;
constexpr size_t kMaxHeaderBytes = size_t{16} << 10; ///< of an answer
constexpr size_t kMaxAnswerBytes = 2 * kMaxLoadTensorBytes;
constexpr Duration kShortestTick = std::chrono::milliseconds(1);
constexpr Duration kLongestTick = std::chrono::milliseconds(100);

Status FailureOf(const error_code& error, std::string_view what) {
  return Unavailable(std::string(what) + ": " + error.message());
}

std::string_view ToView(beast::string_view text) {
  return {text.data(), text.size()};
}

/// The value of the field that splits a body into JSON and tensors; nullopt: it is all JSON.
template <class Fields> std::optional<size_t> JsonBytes(const Fields& fields) {
  const std::string_view text = ToView(fields["Inference-Header-Content-Length"]);
  size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return size;
}

/// What the connections of a client share. One thread uses everything here.
struct Shared {
  LoadHttpServer server;
  std::vector<HttpPayload> payloads; ///< of each target
  /// Tensors of answers are read into here by all, and never looked at.
  std::vector<char> ignored = std::vector<char>(size_t{64} << 10);
};

/// A keep-alive connection that has one request at a time. Its owner may erase the object only once
/// notified that request and connection have ended: until then the pending operation refers to the object.
class Connection {
public:
  class Owner {
  public:
    /// The connection's request ended. `is_open`: it can take another one.
    virtual void Ended(Connection& connection, LoadAnswer answer, bool is_open) = 0;

  protected:
    ~Owner() = default;
  };

  Connection(asio::io_context& io, Shared& shared, Owner& owner)
      : shared_(shared), stream_(io, shared.server), owner_(owner) {}

  bool is_late(MonotonicTime now) const { return call_ && deadline_ <= now; }
  /// The request that ended; from then on it has none.
  LoadCall& Release() { return *std::exchange(call_, nullptr); }

  void Begin(LoadCall& call, MonotonicTime deadline) {
    call_ = &call;
    deadline_ = deadline;
    cancelled_ = {};
    if (stream_.socket().is_open()) return Write();
    stream_.AsyncConnect([this](error_code error) { error ? Fail(error, "cannot connect") : Write(); });
  }

  /// Ends the request, if there is one, for this reason, soon.
  void Cancel(Status why) {
    cancelled_ = std::move(why);
    stream_.Close();
  }

  /// Whether the server closed it while nothing was asked.
  bool IsStale() {
    char byte = 0;
    const ssize_t got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

private:
  void Write() {
    const HttpPayload& payload = shared_.payloads[call_->target];
    head_ = payload.head;
    SetId(head_, payload.id_at, call_->id);
    std::vector<asio::const_buffer> buffers{asio::buffer(head_)};
    for (const std::string& tensor : payload.tensors)
      buffers.emplace_back(asio::buffer(tensor));
    call_->sent = Clock::now();
    asio::async_write(stream_, buffers, [this](error_code error, size_t) {
      if (error) return Fail(error, "the request could not be sent");
      ReadHeader();
    });
  }

  void ReadHeader() {
    parser_.emplace();
    parser_->body_limit(kMaxAnswerBytes);
    parser_->header_limit(kMaxHeaderBytes);
    http::async_read_header(stream_, buffer_, *parser_, [this](error_code error, size_t) {
      if (error) return Fail(error, "no answer");
      ReadBody();
    });
  }

  /// The JSON part into `json_`; what follows is read and forgotten.
  void ReadBody() {
    const auto length = parser_->content_length();
    if (!length) return End({Unsupported("the answer has no Content-Length"), false, std::nullopt}, false);
    const size_t size = *length;
    json_.resize(std::min(JsonBytes(parser_->get()).value_or(size), size));
    const size_t here = asio::buffer_copy(asio::buffer(json_), buffer_.data());
    buffer_.consume(here);
    const size_t tensors_here = std::min(size - json_.size(), buffer_.size());
    buffer_.consume(tensors_here);
    ReadJson(here, size - json_.size() - tensors_here);
  }

  void ReadJson(size_t have, size_t tensor_bytes) {
    if (have == json_.size()) return ReadTensors(tensor_bytes);
    asio::async_read(stream_, asio::buffer(json_) + have, [this, tensor_bytes](error_code error, size_t) {
      if (error) return Fail(error, "the answer is not complete");
      ReadTensors(tensor_bytes);
    });
  }

  void ReadTensors(size_t left) {
    if (left == 0) return Complete();
    const size_t now = std::min(left, shared_.ignored.size());
    asio::async_read(stream_, asio::buffer(shared_.ignored, now), [this, left, now](error_code error, size_t) {
      if (error) return Fail(error, "the answer is not complete");
      ReadTensors(left - now);
    });
  }

  void Complete() {
    const unsigned status = parser_->get().result_int();
    End(DecodeHttp(status, json_, call_->id), parser_->keep_alive() && buffer_.size() == 0);
  }

  void Fail(const error_code& error, std::string_view what) {
    End({cancelled_.ok() ? FailureOf(error, what) : cancelled_, false, std::nullopt}, false);
  }

  void End(LoadAnswer answer, bool is_open) {
    if (!stream_.socket().is_open()) is_open = false; // cancelled a moment ago
    if (!is_open) stream_.Close();
    owner_.Ended(*this, std::move(answer), is_open); // may erase this
  }

  Shared& shared_;
  LoadHttpStream stream_;
  Owner& owner_;
  LoadCall* call_ = nullptr;
  MonotonicTime deadline_{};
  Status cancelled_;
  std::string head_;
  std::string json_;
  beast::flat_static_buffer<kMaxHeaderBytes> buffer_;
  std::optional<http::response_parser<http::empty_body>> parser_;
};

struct Reply {
  unsigned status = 0;
  std::string body;
};

/// A GET on a connection of its own. Blocks at most until the deadline.
Result<Reply> Get(const LoadHttpServer& server, const std::string& path, Duration deadline) {
  // One loop and one timer for the whole exchange: connecting counts towards the deadline as well.
  asio::io_context io(1);
  LoadHttpStream stream(io, server);
  asio::steady_timer timer(io, deadline);
  timer.async_wait([&](error_code) { stream.Close(); });

  http::request<http::empty_body> request(http::verb::get, path, 11);
  request.set(http::field::host, server.address);
  http::response<http::string_body> response;
  beast::flat_buffer buffer;
  error_code failed;

  // The first failure or the last step cancels the timer; else run() would go on until the deadline.
  const auto end = [&](error_code error) {
    failed = error;
    timer.cancel();
  };

  const auto read = [&](error_code error, size_t) { end(error); };
  const auto written = [&](error_code error, size_t) {
    error ? end(error) : http::async_read(stream, buffer, response, read);
  };

  stream.AsyncConnect([&](error_code error) { error ? end(error) : http::async_write(stream, request, written); });
  io.run();
  if (failed) return FailureOf(failed, server.address);
  return Reply{response.result_int(), std::move(response.body())};
}

/// All connections live on one thread. They are opened as they are needed, up to a bound; requests
/// that find none wait in order.
class HttpTransport final : public LoadTransport, public Connection::Owner {
public:
  HttpTransport(const LoadClientOptions& options, LoadHttpServer server)
      : request_deadline_(options.request_deadline),
        max_connections_(options.connections > 0 ? options.connections : kDefaultMaxConnections) {
    shared_.server = std::move(server);
  }
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  ~HttpTransport() override {
    asio::post(io_, [this] { Stop(); });
    if (thread_.joinable()) thread_.join();
  }

  Result<std::vector<TensorSpec>> InputsOf(const AppId& app) override {
    AVOCET_ASSIGN_OR_RETURN(const auto reply, Get(shared_.server, ModelPath(app), request_deadline_));
    return DecodeInputSpecs(reply.status, reply.body);
  }

  void Start(std::vector<LoadPayload> payloads, OnAnswer on_answer) override {
    for (LoadPayload& payload : payloads)
      shared_.payloads.push_back(EncodeHttp(std::move(payload), shared_.server.address));
    on_answer_ = std::move(on_answer);
    thread_ = std::thread([this] {
      Tick();
      io_.run();
    });
    pthread_setname_np(thread_.native_handle(), "load-http");
  }

  void Send(LoadCall& call) override {
    asio::post(io_, [this, &call] {
      call.sent = Clock::now(); // again when it is written
      waiting_.push_back({&call, call.sent + request_deadline_});
      Dispatch();
    });
  }

private:
  struct Waiting {
    LoadCall* call;
    MonotonicTime deadline;
  };

  /// Gives waiting requests connections while there are any.
  void Dispatch() {
    while (!waiting_.empty()) {
      Connection* connection = FindConnection();
      if (!connection) return;
      const Waiting next = waiting_.front();
      waiting_.pop_front();
      connection->Begin(*next.call, next.deadline);
    }
  }

  /// An idle one, a new one, or none.
  Connection* FindConnection() {
    while (!idle_.empty()) {
      Connection* connection = idle_.back(); // the latest: the warmest
      idle_.pop_back();
      if (!connection->IsStale()) return connection;
      connections_.erase(connection);
    }
    if (connections_.size() == max_connections_) return nullptr;
    auto connection = std::make_unique<Connection>(io_, shared_, *this);
    Connection* key = connection.get();
    return connections_.emplace(key, std::move(connection)).first->first;
  }

  void Ended(Connection& connection, LoadAnswer answer, bool is_open) override {
    LoadCall& call = connection.Release();
    if (is_open)
      idle_.push_back(&connection);
    else
      connections_.erase(&connection);
    on_answer_(call, std::move(answer));
    Dispatch();
  }

  /// One timer for all: a timer per request would cost more than the request.
  void Tick() {
    timer_.expires_after(std::clamp<Duration>(request_deadline_ / 20, kShortestTick, kLongestTick));
    timer_.async_wait([this](error_code error) {
      if (error || stopping_) return;
      EndLate(Clock::now());
      Tick();
    });
  }

  void EndLate(MonotonicTime now) {
    for (const auto& [key, connection] : connections_)
      if (connection->is_late(now)) connection->Cancel(DeadlineExceeded("no answer before the request's deadline"));
    while (!waiting_.empty() && waiting_.front().deadline <= now)
      EndWaiting(DeadlineExceeded("no connection was free before the request's deadline"));
  }

  void EndWaiting(Status why) {
    LoadCall& call = *waiting_.front().call;
    waiting_.pop_front();
    call.sent = Clock::now();
    on_answer_(call, {std::move(why), false, std::nullopt});
  }

  void Stop() {
    stopping_ = true;
    timer_.cancel();
    const Status why = Cancelled("given up");
    while (!waiting_.empty())
      EndWaiting(why);
    for (const auto& [key, connection] : connections_)
      connection->Cancel(why);
  }

  const Duration request_deadline_;
  const size_t max_connections_;
  Shared shared_;
  OnAnswer on_answer_;
  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  std::deque<Waiting> waiting_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_; ///< of them
  bool stopping_ = false;
  std::thread thread_;
};

/// The context of connections to a server that the CA vouches for.
Result<std::shared_ptr<asio::ssl::context>> Trust(const std::filesystem::path& ca) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code error;
  context->load_verify_file(ca.string(), error);
  if (error) return InvalidArgument("'" + ca.string() + "' is no certificate: " + error.message());
  context->set_verify_mode(asio::ssl::verify_peer);
  return context;
}

Result<LoadHttpServer> Resolve(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return InvalidArgument("'" + address + "' is no host:port");
  asio::io_context io;
  error_code error;
  const std::string host = address.substr(0, colon);
  LoadHttpServer server{address, host, tcp::resolver(io).resolve(host, address.substr(colon + 1), error), nullptr};
  if (error) return FailureOf(error, address);
  return server;
}

/// Any answer will do.
bool IsThere(const LoadHttpServer& server, Duration deadline) {
  return Get(server, "/v2/health/live", deadline).ok();
}

} // namespace

Result<std::unique_ptr<LoadTransport>> ConnectHttp(const LoadClientOptions& options) {
  AVOCET_ASSIGN_OR_RETURN(auto server, Resolve(options.address));
  if (!options.ca.empty()) {
    AVOCET_ASSIGN_OR_RETURN(auto tls, Trust(options.ca));
    server.tls = std::move(tls);
  }
  if (!IsThere(server, options.connect_deadline)) return NoServerAnswers(options);
  return std::unique_ptr<LoadTransport>(std::make_unique<HttpTransport>(options, std::move(server)));
}

} // namespace avocet

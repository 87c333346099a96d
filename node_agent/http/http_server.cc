#include "node_agent/http/http_server.h"

#include <pthread.h>

#include <algorithm>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "messages/address.h"
#include "node_agent/http/http_seats.h"
#include "node_agent/http/http_session.h"
#include "node_agent/http/http_tls.h"
#include "node_agent/ports/accept_log.h"
#include "node_agent/ports/descriptor_limit.h"
#include "node_agent/ports/port_owner.h"

namespace avocet {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr unsigned kMaxThreads = 64;
/// Connections beyond the limit that are open at a time to be answered 503; further ones are closed without a word.
constexpr size_t kAnsweredRefusals = 16;
/// Beyond so many that are to be closed, the loops have to close some before the next one is accepted.
constexpr size_t kMaxUnseated = 2 * kAnsweredRefusals;
constexpr Duration kCatchUpPause = std::chrono::milliseconds(1);
/// Before the next try after the process ran out of descriptors.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);
/// After this long without any, somebody must act.
constexpr Duration kErrorAfter = std::chrono::seconds(5);
/// How often Stop() looks whether the last connection is gone.
constexpr Duration kStopPause = std::chrono::milliseconds(2);

Status CheckOptions(const HttpServerOptions& options) {
  if (options.threads < 1 || options.threads > kMaxThreads)
    return InvalidArgument("threads is " + std::to_string(options.threads) + ", must be 1 .. " +
                           std::to_string(kMaxThreads));
  if (options.limits.max_header_bytes < 256 || options.limits.max_header_bytes > kMiB)
    return InvalidArgument("max_header_bytes is " + std::to_string(options.limits.max_header_bytes) +
                           ", must be 256 .. 1 MiB");
  return {};
}

Result<tcp::endpoint> Resolve(const std::string& text) {
  AVOCET_ASSIGN_OR_RETURN(const auto address, ParseAddress(text));
  error_code error;
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  const auto ip = asio::ip::make_address(host, error);
  if (error) return InvalidArgument("'" + text + "': the host must be an IP address or localhost");
  return tcp::endpoint(ip, address.port);
}

} // namespace

class HttpServer::Impl {
public:
  Impl(HttpServerOptions options, std::shared_ptr<InferenceCore> core, MetricsPage metrics)
      : options_(std::move(options)) {
    shared_.limits = options_.limits;
    shared_.core = std::move(core);
    shared_.metrics = std::move(metrics);
  }
  ~Impl() { Stop(); }

  Status Start() {
    AVOCET_RETURN_IF_ERROR(CheckOptions(options_));
    if (options_.tls) {
      AVOCET_ASSIGN_OR_RETURN(tls_, HttpTls::Open(*options_.tls));
    }
    for (unsigned i = 0; i < options_.threads; ++i)
      loops_.emplace_back(shared_);
    AVOCET_RETURN_IF_ERROR(Listen(HttpSurface::kInference, options_.rest_address, tls_.get()));
    AVOCET_RETURN_IF_ERROR(Listen(HttpSurface::kMetrics, options_.metrics_address, TlsOfMetrics()));
    for (Listener& listener : listeners_)
      Accept(listener);
    for (HttpLoop& loop : loops_)
      Run(loop);
    return {};
  }

  std::string AddressOf(HttpSurface surface) const {
    for (const Listener& listener : listeners_) {
      if (listener.surface == surface) return listener.address;
    }
    return {};
  }

  const HttpShared& shared() const { return shared_; }

  void Stop() {
    std::call_once(stopped_, [this] {
      shared_.is_draining = true;

      if (!threads_.empty()) {
        // Listeners first, on their own thread. What they accepted meanwhile sees is_draining when it begins.
        asio::post(loops_.front().io, [this] {
          for (Listener& listener : listeners_)
            CloseListener(listener);
        });
        ForAllConnections(&HttpConnection::Drain);
        if (!AwaitNoConnections(options_.drain_deadline)) ForAllConnections(&HttpConnection::Abort);
        AwaitNoConnections(Duration::max()); // a run in hand ends by itself
      }

      // Connections are gone, so no work comes any more; the loops still run, as the last work posts to them.
      shared_.coders.join();
      for (auto& guard : guards_)
        guard.reset();

      // A guard that is gone lets run() return only when no handler is left; stop() does not wait for handlers.
      for (HttpLoop& loop : loops_)
        loop.io.stop();
      for (std::thread& thread : threads_)
        thread.join();
    });
  }

private:
  struct Listener {
    Listener(HttpSurface which, HttpTls* context, asio::io_context& io, const ConnectionLimits& wanted)
        : surface(which), tls(context), acceptor(io), pause(io),
          seats(WithinDescriptors(wanted,
                                  which == HttpSurface::kMetrics ? DescriptorsOfMetrics() : DescriptorsOfAPort())),
          log(which == HttpSurface::kMetrics ? "metrics" : "rest", kErrorAfter) {
      log.Limited(wanted, seats.limits());
    }

    HttpSurface surface;
    HttpTls* tls; ///< null: plain
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::string address;
    HttpSeats seats;
    AcceptLog log;
  };

  /// Beyond this machine, encrypted if anything is; scrapers on it need no certificate.
  HttpTls* TlsOfMetrics() const {
    const bool is_local = RequireLoopback(options_.metrics_address, "metrics").ok();
    return is_local || options_.plaintext ? nullptr : tls_.get();
  }

  Status Listen(HttpSurface surface, const std::string& address, HttpTls* tls) {
    if (address.empty()) return {};
    // An unencrypted port beyond this machine must be asked for: models and inputs would travel readable.
    const std::string what = surface == HttpSurface::kInference ? "inference REST" : "metrics";
    if (tls == nullptr && !options_.plaintext) AVOCET_RETURN_IF_ERROR(RequireLoopback(address, what));

    AVOCET_ASSIGN_OR_RETURN(const auto endpoint, Resolve(address));
    const auto& wanted =
        surface == HttpSurface::kMetrics ? options_.limits.metrics_connections : options_.limits.connections;
    Listener& listener = listeners_.emplace_back(surface, tls, loops_.front().io, wanted);

    // Restarting must not wait until old connections have left TIME_WAIT.
    error_code error;
    listener.acceptor.open(endpoint.protocol(), error);
    if (!error) listener.acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) listener.acceptor.bind(endpoint, error);
    if (!error) listener.acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return Unavailable(CannotListen(address, error.value()));

    listener.address = WithPort(address, listener.acceptor.local_endpoint().port());
    return {};
  }

  void Accept(Listener& listener) {
    if (Unseated() >= kMaxUnseated) return AcceptAfter(kCatchUpPause, listener);
    HttpLoop& loop = NextLoop();
    listener.acceptor.async_accept(loop.io, [this, &listener, &loop](error_code error, tcp::socket socket) {
      if (!listener.acceptor.is_open()) return;
      if (error) return AcceptLater(listener, error);
      listener.log.Succeeded();
      Take(listener, loop, std::move(socket));
      Accept(listener);
    });
  }

  /// Out of descriptors or memory: trying again at once would only burn the processor.
  void AcceptLater(Listener& listener, error_code why) {
    listener.log.Failed(why.message());
    AcceptAfter(kAcceptPause, listener);
  }

  void AcceptAfter(Duration pause, Listener& listener) {
    listener.pause.expires_after(pause);
    listener.pause.async_wait([this, &listener](error_code error) {
      if (!error && listener.acceptor.is_open()) Accept(listener);
    });
  }

  void Take(Listener& listener, HttpLoop& loop, tcp::socket socket) {
    error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    if (gone) return;

    auto offer = listener.seats.Ask(ClientKeyOf(*peer.data()), loop, MonotonicTime::clock::now());
    if (offer.evicted != nullptr) Evict(std::move(offer.evicted));
    std::string refusal;
    // A refused client learns why: its first request is answered 503.
    if (offer.seat == nullptr) {
      ++shared_.refused_connections;
      refusal = listener.seats.Explain(offer.admission);
      listener.log.Refused(refusal, peer.address().to_string());
    }

    // Each refused connection that waits for its answer holds a descriptor, of which there are too few already.
    if (offer.seat == nullptr && Unseated() >= kAnsweredRefusals) return; // the socket closes
    ++shared_.connections;
    // An answer is one write: waiting to join it with a next one would only delay it.
    socket.set_option(tcp::no_delay(true), gone);
    NewConnection connection{
        std::move(socket), listener.surface,      listener.tls == nullptr ? nullptr : listener.tls->Context(),
        &listener.seats,   std::move(offer.seat), std::move(refusal)};
    // On its loop's thread, which alone may touch the connection.
    asio::post(loop.io,
               [&loop, connection = std::move(connection)]() mutable { ServeConnection(loop, std::move(connection)); });
  }

  /// A request that came meanwhile is answered first.
  void Evict(std::shared_ptr<HttpSeat> seat) {
    ++shared_.evicted_connections;
    auto& io = seat->loop->io;
    asio::post(io, [seat = std::move(seat)] {
      if (seat->connection != nullptr) seat->connection->Drain();
    });
  }

  /// Connections without a seat: refused ones, or evicted ones that their loops have not closed yet.
  size_t Unseated() const {
    size_t seats = 0;
    for (const Listener& listener : listeners_)
      seats += listener.seats.limits().max_connections;
    return shared_.connections - std::min<size_t>(shared_.connections, seats);
  }

  static void CloseListener(Listener& listener) {
    error_code ignored;
    listener.acceptor.close(ignored);
    listener.pause.cancel();
  }

  HttpLoop& NextLoop() {
    auto it = loops_.begin();
    std::advance(it, next_++ % loops_.size());
    return *it;
  }

  void Run(HttpLoop& loop) {
    guards_.emplace_back(loop.io.get_executor());
    threads_.emplace_back([&loop] { loop.io.run(); });
    pthread_setname_np(threads_.back().native_handle(), "av-http");
  }

  void ForAllConnections(void (HttpConnection::*act)()) {
    for (HttpLoop& loop : loops_) {
      asio::post(loop.io, [&loop, act] {
        for (HttpConnection* connection : loop.connections)
          (connection->*act)();
      });
    }
  }

  bool AwaitNoConnections(Duration limit) const {
    const MonotonicTime begin = MonotonicTime::clock::now();
    while (shared_.connections > 0) {
      if (MonotonicTime::clock::now() - begin >= limit) return false;
      std::this_thread::sleep_for(kStopPause);
    }
    return true;
  }

  const HttpServerOptions options_;
  HttpShared shared_;
  std::unique_ptr<HttpTls> tls_; ///< null: none
  std::list<HttpLoop> loops_;
  std::list<Listener> listeners_; ///< on the first loop
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
  size_t next_ = 0;
  std::once_flag stopped_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                      std::shared_ptr<InferenceCore> core, MetricsPage metrics) {
  auto impl = std::make_unique<Impl>(options, std::move(core), std::move(metrics));
  AVOCET_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() {
  Stop();
}
std::string HttpServer::rest_address() const {
  return impl_->AddressOf(HttpSurface::kInference);
}
std::string HttpServer::metrics_address() const {
  return impl_->AddressOf(HttpSurface::kMetrics);
}
HttpCounters HttpServer::counters() const {
  const HttpShared& shared = impl_->shared();
  return {shared.connections, shared.refused_connections, shared.evicted_connections, shared.slow_connections};
}
void HttpServer::Stop() {
  impl_->Stop();
}

} // namespace avocet

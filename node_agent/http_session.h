#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility> // before Asio, which needs it

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "messages/units.h"
#include "node_agent/http_options.h"
#include "node_agent/http_routes.h"
#include "node_agent/inference_core.h"

namespace avocet {

class HttpConnection;

/// What all connections of a server share.
struct HttpShared {
  HttpLimits limits;
  std::shared_ptr<InferenceCore> core;
  MetricsPage metrics;
  std::atomic<bool> is_draining = false;
  std::atomic<size_t> connections = 0;
  std::atomic<uint64_t> refused_connections = 0;
  boost::asio::thread_pool coders{1}; ///< decodes and encodes large JSON, so that IO threads do not stall
};

/// One IO thread's loop and the connections that live on it. Everything but `io` itself is used by
/// that thread only.
struct HttpLoop {
  explicit HttpLoop(HttpShared& all) : shared(all), sweep(io) {}
  void Add(HttpConnection& connection);
  void Remove(HttpConnection& connection);
  void Sweep();

  HttpShared& shared;
  boost::asio::io_context io{1};
  boost::asio::steady_timer sweep; ///< armed while there are connections
  std::set<HttpConnection*> connections;
};

/// A client's connection, as its loop and its server see it. Lives as long as it has something to do.
class HttpConnection {
public:
  virtual ~HttpConnection() = default;
  /// Ends the connection when the client is late.
  virtual void CheckDeadline(MonotonicTime now) = 0;
  /// No further requests: ends at once when idle, else after the answer in hand.
  virtual void Drain() = 0;
  /// Gives up: cancels the request, closes. A run that cannot stop ends first.
  virtual void Abort() = 0;
};

struct NewConnection {
  boost::asio::ip::tcp::socket socket;
  HttpSurface surface = HttpSurface::kInference;
  boost::asio::ssl::context* tls = nullptr; ///< null: plain
  bool is_refused = false;                  ///< over the limit: answered 503, whatever it asks
};

/// Serves a connection until it ends. To be called on the loop's thread.
void ServeConnection(HttpLoop& loop, NewConnection connection);

} // namespace avocet

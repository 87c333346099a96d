#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility> // before Asio, which needs it

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "messages/units.h"
#include "node_agent/http/http_options.h"
#include "node_agent/inference/inference_core.h"

namespace avocet {

/// What all connections of a server share.
struct HttpShared {
  HttpLimits limits;
  std::shared_ptr<InferenceCore> core;
  MetricsPage metrics;
  std::atomic<bool> is_draining = false;
  std::atomic<size_t> connections = 0;
  std::atomic<uint64_t> refused_connections = 0;
  std::atomic<uint64_t> evicted_connections = 0;
  std::atomic<uint64_t> slow_connections = 0;
  boost::asio::thread_pool coders{1}; ///< decodes and encodes large JSON, so that IO threads do not stall
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

} // namespace avocet

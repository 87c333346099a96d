#pragma once

#include <utility> // before Asio, which needs it

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "node_agent/http_loop.h"
#include "node_agent/http_routes.h"

namespace avocet {

struct NewConnection {
  boost::asio::ip::tcp::socket socket;
  HttpSurface surface = HttpSurface::kInference;
  boost::asio::ssl::context* tls = nullptr; ///< null: plain
  bool is_refused = false;                  ///< over the limit: answered 503, whatever it asks
};

/// Serves a connection until it ends. To be called on the loop's thread.
void ServeConnection(HttpLoop& loop, NewConnection connection);

} // namespace avocet

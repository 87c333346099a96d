#pragma once

#include <memory>
#include <string>
#include <utility> // before Asio, which needs it

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "node_agent/http/http_loop.h"
#include "node_agent/http/http_routes.h"
#include "node_agent/http/http_seats.h"

namespace avocet {

struct NewConnection {
  boost::asio::ip::tcp::socket socket;
  HttpSurface surface = HttpSurface::kInference;
  std::shared_ptr<boost::asio::ssl::context> tls; ///< null: plain
  HttpSeats* seats = nullptr;                     ///< of its port; outlives the connection
  std::shared_ptr<HttpSeat> seat;                 ///< null: refused
  std::string refusal; ///< why there is no seat: every request is answered 503 with this text
};

/// Serves a connection until it ends. To be called on the loop's thread.
void ServeConnection(HttpLoop& loop, NewConnection connection);

} // namespace avocet

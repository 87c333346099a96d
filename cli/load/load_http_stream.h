#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace avocet {

/// Where a server listens, and how to speak to it.
struct LoadHttpServer {
  std::string address; ///< host:port
  std::string host;    ///< that its certificate must name
  boost::asio::ip::tcp::resolver::results_type endpoints;
  std::shared_ptr<boost::asio::ssl::context> tls; ///< null: not encrypted
};

/// A TCP connection, encrypted when the server's is: an AsyncReadStream and AsyncWriteStream of Asio.
/// Good for one connection.
class LoadHttpStream {
public:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;
  using executor_type = tcp::socket::executor_type;

  LoadHttpStream(boost::asio::io_context& io, const LoadHttpServer& server) : server_(server), socket_(io) {
    if (server.tls) tls_.emplace(socket_, *server.tls);
  }

  executor_type get_executor() { return socket_.get_executor(); }
  tcp::socket& socket() { return socket_; }
  void Close() {
    error_code ignored;
    socket_.close(ignored);
  }

  /// Connects and, encrypted, checks whom it speaks to; `handler` takes an error_code.
  template <class Handler> void AsyncConnect(Handler handler) {
    boost::asio::async_connect(socket_, server_.endpoints,
                               [this, handler = std::move(handler)](error_code error, const tcp::endpoint&) mutable {
                                 if (!error) socket_.set_option(tcp::no_delay(true), error);
                                 if (error || !tls_) return handler(error);
                                 tls_->set_verify_callback(boost::asio::ssl::host_name_verification(server_.host));
                                 SSL_set_tlsext_host_name(tls_->native_handle(), server_.host.c_str());
                                 tls_->async_handshake(boost::asio::ssl::stream_base::client, std::move(handler));
                               });
  }

  template <class Buffers, class Handler> void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return (void)tls_->async_read_some(buffers, std::forward<Handler>(handler));
    socket_.async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <class Buffers, class Handler> void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return (void)tls_->async_write_some(buffers, std::forward<Handler>(handler));
    socket_.async_write_some(buffers, std::forward<Handler>(handler));
  }

private:
  const LoadHttpServer& server_;
  tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<tcp::socket&>> tls_;
};

} // namespace avocet

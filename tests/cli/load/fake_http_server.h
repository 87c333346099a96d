#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

namespace avocet {

/// A small Open Inference Protocol server over HTTP/1.1 with the binary tensor extension; a thread per
/// connection. Serves "cam" (emulated), "bad" (always unavailable), "closing" (ends the connection
/// after each answer), "liar" (answers with another id) and "chunked" (no Content-Length); never
/// answers "slow"; does not know "gone"; "odd" has an unknown datatype.
class FakeHttpServer {
public:
  struct Request {
    std::string target;
    nlohmann::json json;
    std::string tensors; ///< what follows the JSON
  };

  FakeHttpServer() : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {
    acceptor_thread_ = std::thread([this] { Accept(); });
  }
  ~FakeHttpServer() { Stop(); }
  FakeHttpServer(const FakeHttpServer&) = delete;
  FakeHttpServer& operator=(const FakeHttpServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }
  Request last_request() {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }
  void Stop() {
    if (stopping_.exchange(true)) return;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    acceptor_thread_.join();
    for (auto& socket : sockets_)
      ::shutdown(socket.native_handle(), SHUT_RDWR);
    for (auto& thread : threads_)
      thread.join();
    acceptor_.close();
  }

private:
  using Socket = boost::asio::ip::tcp::socket;
  using Message = boost::beast::http::request<boost::beast::http::string_body>;
  using Answer = boost::beast::http::response<boost::beast::http::string_body>;

  void Accept() {
    for (;;) {
      boost::system::error_code error;
      Socket socket(io_);
      acceptor_.accept(socket, error);
      if (error || stopping_) return;
      ++connections_;
      Socket& kept = sockets_.emplace_back(std::move(socket));
      threads_.emplace_back([this, &kept] { Serve(kept); });
    }
  }

  void Serve(Socket& socket) {
    boost::system::error_code error;
    boost::beast::flat_buffer buffer;
    for (bool is_open = true; is_open;) {
      Message message;
      boost::beast::http::read(socket, buffer, message, error);
      if (error) break;
      const std::string target(message.target());
      if (target.find("/slow/infer") != std::string::npos) continue; // until the client goes away
      Answer answer = AnswerTo(message);
      answer.keep_alive(target.find("/closing/") == std::string::npos);
      if (target.find("/chunked/infer") != std::string::npos)
        answer.chunked(true);
      else
        answer.prepare_payload();
      boost::beast::http::write(socket, answer, error);
      is_open = !error && answer.keep_alive();
    }
    ::shutdown(socket.native_handle(), SHUT_RDWR);
  }

  Answer AnswerTo(const Message& message) {
    const std::string target(message.target());
    const auto is_for = [&](const std::string& app) { return target.starts_with("/v2/models/" + app); };
    if (target == "/v2/health/live") return Say(200, {{"live", true}});
    if (is_for("gone")) return Say(404, {{"error", "no application 'gone'"}});
    if (!target.ends_with("/infer")) return Say(200, Metadata(is_for("odd") ? "FP8" : "FP32"));
    if (is_for("bad")) return Say(503, {{"error", "queue full"}});
    return Infer(message, is_for("liar"));
  }

  static Answer Say(unsigned status, const nlohmann::json& json) {
    Answer answer;
    answer.result(status);
    answer.body() = json.dump();
    return answer;
  }

  static nlohmann::json Metadata(const std::string& datatype) {
    return {{"name", "x"}, {"inputs", {{{"name", "image"}, {"datatype", datatype}, {"shape", {-1, 4, 2}}}}}};
  }

  Answer Infer(const Message& message, bool with_another_id) {
    const size_t size = std::stoul(std::string(message["Inference-Header-Content-Length"]));
    Request request{std::string(message.target()), nlohmann::json::parse(message.body().substr(0, size)),
                    message.body().substr(size)};
    const std::string tensor(100'000, 'x');
    const nlohmann::json json{{"model_name", "x"},
                              {"id", with_another_id ? "7" : request.json["id"].get<std::string>()},
                              {"parameters", {{"emulated", true}, {"response_time_ns", 2'000'000}}},
                              {"outputs",
                               {{{"name", "y"},
                                 {"datatype", "UINT8"},
                                 {"shape", {tensor.size()}},
                                 {"parameters", {{"binary_data_size", tensor.size()}}}}}}};
    {
      const std::lock_guard lock(mutex_);
      last_request_ = std::move(request);
    }
    Answer answer = Say(200, json);
    answer.set("Inference-Header-Content-Length", std::to_string(answer.body().size()));
    answer.body() += tensor;
    return answer;
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  const unsigned short port_ = acceptor_.local_endpoint().port();
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::list<Socket> sockets_;
  std::list<std::thread> threads_;
  std::mutex mutex_;
  Request last_request_;
  std::thread acceptor_thread_;
};

} // namespace avocet

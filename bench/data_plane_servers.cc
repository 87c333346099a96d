#include "bench/data_plane_servers.h"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <grpcpp/grpcpp.h>

#include "inference/grpc_service.grpc.pb.h"

namespace avocet::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

class NoOpModel : public LoadedModel {
public:
  const ModelSignature& signature() const override { return signature_; }
  uint64_t memory_bytes() const override { return kMiB; }
  Result<RunResult> Run(const RunRequest&) override {
    return RunResult{{Tensor{signature_.outputs[0], std::vector<std::byte>(kReplyBytes)}}, {}};
  }

private:
  ModelSignature signature_{{TensorSpec{"in", DataType::kUint8, {-1}}},
                            {TensorSpec{"out", DataType::kUint8, {kReplyBytes}}}};
};

class NoOpEngine : public Engine {
public:
  EngineKind kind() const override { return EngineKind::kTflite; }
  bool can_cancel() const override { return false; }
  Result<std::unique_ptr<LoadedModel>> Load(const LoadRequest&) override { return MakeNoOpModel(); }
};

void Require(const Status& status) {
  if (status.ok()) return;
  std::cerr << status.ToString() << "\n";
  std::exit(1);
}

constexpr uint32_t kHeadBytes = 8 * 1024; // as the measured server has them

class EchoSession : public std::enable_shared_from_this<EchoSession> {
public:
  explicit EchoSession(tcp::socket socket) : socket_(std::move(socket)) { buffer_.reserve(kHeadBytes); }

  void ReadHead() {
    parser_.emplace();
    parser_->header_limit(kHeadBytes);
    parser_->body_limit(uint64_t{64} << 20);
    http::async_read_header(socket_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
      if (!error) self->BeginBody();
    });
  }

private:
  void BeginBody() {
    size_ = static_cast<size_t>(parser_->content_length().value_or(0));
    body_ = std::make_unique_for_overwrite<char[]>(size_);
    have_ = std::min(size_, buffer_.size());
    std::memcpy(body_.get(), buffer_.data().data(), have_);
    buffer_.consume(have_);
    ReadBody();
  }
  void ReadBody() {
    if (have_ == size_) return Answer();
    socket_.async_read_some(asio::buffer(body_.get() + have_, size_ - have_),
                            [self = shared_from_this()](error_code error, size_t bytes) {
                              if (error) return;
                              self->have_ += bytes;
                              self->ReadBody();
                            });
  }
  void Answer() {
    static const std::string kAnswer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(kReplyBytes) +
        "\r\n\r\n" + std::string(kReplyBytes, 'x');
    asio::async_write(socket_, asio::buffer(kAnswer), [self = shared_from_this()](error_code error, size_t) {
      if (!error) self->ReadHead();
    });
  }

  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::unique_ptr<char[]> body_;
  size_t size_ = 0;
  size_t have_ = 0;
};

class EchoService : public inference::GRPCInferenceService::CallbackService {
public:
  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context,
                                       const inference::ModelInferRequest* request,
                                       inference::ModelInferResponse* response) override {
    response->set_model_name(request->model_name());
    response->add_raw_output_contents(std::string(kReplyBytes, 'x'));
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

} // namespace

std::unique_ptr<LoadedModel> MakeNoOpModel() {
  return std::make_unique<NoOpModel>();
}

NoOpNode::NoOpNode(std::vector<int> cores) {
  DeviceSpec spec;
  spec.node = NodeId("bench");
  spec.name = "cpu0";
  spec.memory_bytes = 64 * kMiB;
  spec.cores = std::move(cores);
  const ModelId model("noop:1");
  device_ = std::make_shared<DeviceScheduler>(spec, BootId("bench"), std::make_unique<NoOpEngine>());
  Require(device_->Load({model, {}}));
  Require(device_->Attach(AppId("noop"), model));
  router_ = std::make_shared<Router>();
  router_->Publish(AppId("noop"), {device_, model});
  core_ = std::make_shared<InferenceCore>(InferenceCoreOptions(), router_);
  core_->SetReady(true);
}

class HttpEcho::Impl {
public:
  Impl() : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Impl() {
    io_.stop();
    thread_.join();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      socket.set_option(tcp::no_delay(true));
      std::make_shared<EchoSession>(std::move(socket))->ReadHead();
      Accept();
    });
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

HttpEcho::HttpEcho() : impl_(std::make_unique<Impl>()) {}
HttpEcho::~HttpEcho() = default;
std::string HttpEcho::address() const {
  return impl_->address();
}

class GrpcEcho::Impl {
public:
  Impl() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(64 << 20);
    server_ = builder.BuildAndStart();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
  EchoService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

GrpcEcho::GrpcEcho() : impl_(std::make_unique<Impl>()) {}
GrpcEcho::~GrpcEcho() = default;
std::string GrpcEcho::address() const {
  return impl_->address();
}

} // namespace avocet::bench

// What a load generator can be measured against: `load_server KIND INPUT_BYTES` serves the application
// "echo" on a free port, prints the address, and ends when its standard input does.
//   bare-grpc  a gRPC callback service that parses the request and answers with its id
//   bare-http  a thread per connection that reads the request and answers with its id
//   noop-grpc  Avocet's inference server in front of an engine that does nothing
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http.hpp>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include "bench/noop_engine.h"
#include "inference/grpc_service.grpc.pb.h"
#include "node_agent/grpc/inference_server.h"

namespace avocet {
namespace {

void SayAddress(const std::string& address) {
  std::printf("%s\n", address.c_str());
  std::fflush(stdout);
}

/// Until standard input ends.
void Wait() {
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

class BareGrpc : public inference::GRPCInferenceService::CallbackService {
public:
  explicit BareGrpc(int64_t input_bytes) : input_bytes_(input_bytes) {}

  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context, const inference::ModelMetadataRequest*,
                                          inference::ModelMetadataResponse* response) override {
    auto* input = response->add_inputs();
    input->set_name("in");
    input->set_datatype("UINT8");
    input->add_shape(input_bytes_);
    return Finish(*context);
  }

  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context,
                                       const inference::ModelInferRequest* request,
                                       inference::ModelInferResponse* response) override {
    response->set_id(request->id());
    return Finish(*context);
  }

private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext& context) {
    auto* reactor = context.DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  int64_t input_bytes_;
};

void ServeBareGrpc(int64_t input_bytes) {
  BareGrpc service(input_bytes);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(static_cast<int>(64 * kMiB));
  const auto server = builder.BuildAndStart();
  SayAddress("127.0.0.1:" + std::to_string(port));
  Wait();
  server->Shutdown(std::chrono::system_clock::now());
}

namespace asio = boost::asio;
namespace http = boost::beast::http;

/// One connection until it ends.
void Serve(asio::ip::tcp::socket socket, int64_t input_bytes) {
  const std::string metadata =
      R"({"name":"echo","inputs":[{"name":"in","datatype":"UINT8","shape":[)" + std::to_string(input_bytes) + "]}]}";
  constexpr std::string_view kId = R"({"id":")";
  boost::beast::flat_static_buffer<size_t{16} << 10> buffer;
  std::string body;
  boost::system::error_code error;
  while (!error) {
    http::request_parser<http::empty_body> parser;
    parser.body_limit(64 * kMiB);
    http::read_header(socket, buffer, parser, error);
    if (error) return;
    body.resize(parser.content_length().value_or(0));
    const size_t here = asio::buffer_copy(asio::buffer(body), buffer.data());
    buffer.consume(here);
    asio::read(socket, asio::buffer(body) + here, error);
    if (error) return;
    const bool is_infer = parser.get().method() == http::verb::post;
    const std::string json = is_infer ? std::string(kId) + body.substr(kId.size(), 20) + "\"}" : metadata;
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(json.size()) + "\r\n\r\n" + json;
    asio::write(socket, asio::buffer(answer), error);
  }
}

void ServeBareHttp(int64_t input_bytes) {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  SayAddress("127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
  std::thread([&] {
    for (;;) {
      auto socket = acceptor.accept();
      socket.set_option(asio::ip::tcp::no_delay(true));
      std::thread(Serve, std::move(socket), input_bytes).detach();
    }
  }).detach();
  Wait();
  std::_Exit(0); // connections may still be open
}

void ServeNoOpGrpc(int64_t input_bytes) {
  const AppId app("echo");
  const ModelId model("echo:1");
  DeviceSpec spec;
  spec.node = NodeId("bench");
  spec.name = "cpu0";
  spec.discipline = Discipline::kFifo;
  spec.memory_bytes = 64 * kMiB;
  const auto device = std::make_shared<DeviceScheduler>(
      spec, BootId("bench"), std::make_unique<NoOpEngine>(TensorSpec{"in", DataType::kUint8, {input_bytes}}));
  const bool is_ready = device->Load({model, {}}).ok() && device->Attach(app, model).ok();
  const auto router = std::make_shared<Router>();
  router->Publish(app, {device, model, false});
  const auto core = std::make_shared<InferenceCore>(InferenceCoreOptions{}, router);
  const auto server = InferenceServer::Start({.grpc_address = "127.0.0.1:0"}, core);
  if (!is_ready || !server.ok()) std::abort();
  SayAddress((*server)->address());
  Wait();
}

int Run(const std::string& kind, int64_t input_bytes) {
  if (kind == "bare-grpc") ServeBareGrpc(input_bytes);
  if (kind == "bare-http") ServeBareHttp(input_bytes);
  if (kind == "noop-grpc") ServeNoOpGrpc(input_bytes);
  return 0;
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: load_server bare-grpc|bare-http|noop-grpc INPUT_BYTES\n");
    return 64;
  }
  return avocet::Run(argv[1], std::atoll(argv[2]));
}

#include "bench/attack_clients.h"

#include <atomic>
#include <memory>
#include <thread>

#include <grpcpp/grpcpp.h>

#include "bench/attack_wire.h"
#include "inference/grpc_service.grpc.pb.h"

namespace avocet::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kEvery = milliseconds(10);

/// Whether all of an answer is there, as its Content-Length says.
bool IsWhole(const std::string& answer) {
  constexpr std::string_view kLength = "Content-Length: ";
  const size_t end = answer.find("\r\n\r\n"), length = answer.find(kLength);
  if (end == std::string::npos || length == std::string::npos) return false;
  return answer.size() >= end + 4 + std::stoul(answer.substr(length + kLength.size()));
}

bool AskRest(std::unique_ptr<Wire>& wire, const Target& target, const std::atomic<bool>& never) {
  static const std::string kRequest =
      RequestHead("/v2/models/small/infer", 600 + 4096, "Inference-Header-Content-Length: 600\r\n") + [] {
        std::string json = R"({"inputs":[{"name":"in","shape":[4096],"datatype":"UINT8","parameters":)"
                           R"({"binary_data_size":4096}}],"parameters":{"binary_data_output":true}})";
        json.resize(600, ' ');
        return json + std::string(4096, 'x');
      }();
  // A client that keeps its connection; one that was closed while it was idle is opened again.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (wire == nullptr || !wire->is_open()) wire = std::make_unique<Wire>(target.rest, "127.0.0.1", never);
    std::string answer;
    wire->Send(kRequest);
    const auto give_up = MonotonicTime::clock::now() + seconds(10);
    while (wire->is_open() && !IsWhole(answer) && MonotonicTime::clock::now() < give_up)
      answer += wire->Receive(1 << 16);
    if (IsWhole(answer) && answer.starts_with("HTTP/1.1 200")) return true;
    wire = nullptr;
    if (!answer.empty()) return false;
  }
  return false;
}

void RestClient(const Target& target, const std::atomic<bool>& stop, Seen& seen) {
  static const std::atomic<bool> kNever = false;
  std::unique_ptr<Wire> wire;
  while (!stop) {
    const auto begin = MonotonicTime::clock::now();
    const bool is_served = AskRest(wire, target, kNever);
    seen.Note(is_served, MonotonicTime::clock::now() - begin);
    std::this_thread::sleep_until(begin + kEvery);
  }
}

void GrpcClient(const Target& target, const std::atomic<bool>& stop, Seen& seen, int number) {
  grpc::ChannelArguments arguments;
  arguments.SetInt("bench.channel", number);
  const auto stub = inference::GRPCInferenceService::NewStub(
      grpc::CreateCustomChannel(target.grpc, grpc::InsecureChannelCredentials(), arguments));
  inference::ModelInferRequest request;
  request.set_model_name("small");
  auto& input = *request.add_inputs();
  input.set_name("in");
  input.set_datatype("UINT8");
  input.add_shape(4096);
  request.add_raw_input_contents(std::string(4096, 'x'));
  while (!stop) {
    const auto begin = MonotonicTime::clock::now();
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(10));
    inference::ModelInferResponse response;
    const bool is_served = stub->ModelInfer(&context, request, &response).ok();
    seen.Note(is_served, MonotonicTime::clock::now() - begin);
    std::this_thread::sleep_until(begin + kEvery);
  }
}

} // namespace

void Measure(const Target& target, Duration time, Seen& rest, Seen& grpc) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> clients;
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back([&] { RestClient(target, stop, rest); });
    clients.emplace_back([&, i] { GrpcClient(target, stop, grpc, i); });
  }
  std::this_thread::sleep_for(time);
  stop = true;
  for (std::thread& client : clients)
    client.join();
}

std::string RequestHead(const std::string& path, size_t length, const std::string& fields) {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "Content-Length: " + std::to_string(length) +
         "\r\n\r\n";
}

} // namespace avocet::bench

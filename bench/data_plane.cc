// What the inference endpoints cost over a bare echo server on the same transport, engine that does
// nothing, everything on one core, ours and the floor in turn so that drift of the machine hits both.
//   data_plane [CORE]    (default: the last core that this process may use)
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "bench/data_plane_servers.h"
#include "inference/grpc_service.grpc.pb.h"
#include "messages/address.h"
#include "node_agent/inference/inference.h"

namespace avocet::bench {
namespace {

constexpr size_t kSizes[] = {150'528, 602'112};
constexpr int kRounds = 7;
constexpr auto kRoundTime = std::chrono::milliseconds(400);
constexpr int kClients = 16;

void PinTo(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<size_t>(core), &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) std::perror("sched_setaffinity"), std::exit(1);
}

int LastCore() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  sched_getaffinity(0, sizeof cores, &cores);
  int core = CPU_SETSIZE - 1;
  while (core > 0 && !CPU_ISSET(core, &cores))
    --core;
  return core;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// One client: sends a request and reads the whole answer; false when that failed.
using Ask = std::function<bool()>;
using MakeClient = std::function<Ask(const std::string& address, size_t bytes)>;

/// A raw socket: the client should cost as little as possible.
Ask HttpClient(const std::string& address, size_t bytes) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(ParseAddress(address)->port);
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&peer), sizeof peer) != 0) std::perror("connect"), std::exit(1);
  const std::string json = R"({"inputs":[{"name":"in","shape":[)" + std::to_string(bytes) +
                           R"(],"datatype":"UINT8","parameters":{"binary_data_size":)" + std::to_string(bytes) +
                           R"(}}],"outputs":[{"name":"out","parameters":{"binary_data":true}}]})";
  auto request = std::make_shared<std::string>(
      "POST /v2/models/noop/infer HTTP/1.1\r\nHost: x\r\nInference-Header-Content-Length: " +
      std::to_string(json.size()) + "\r\nContent-Length: " + std::to_string(json.size() + bytes) + "\r\n\r\n" + json +
      std::string(bytes, 'x'));
  auto answer = std::make_shared<std::vector<char>>(64 * 1024);
  return [socket, request, answer] {
    for (size_t sent = 0; sent < request->size();) {
      const auto n = ::send(socket, request->data() + sent, request->size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<size_t>(n);
    }
    size_t have = 0, wanted = SIZE_MAX;
    while (have < wanted) {
      const auto n = ::recv(socket, answer->data() + have, answer->size() - have, 0);
      if (n <= 0) return false;
      have += static_cast<size_t>(n);
      const std::string_view text(answer->data(), have);
      const size_t end = text.find("\r\n\r\n");
      if (wanted != SIZE_MAX || end == std::string_view::npos) continue;
      if (!text.starts_with("HTTP/1.1 200")) return false;
      const size_t length = text.find("Content-Length: ");
      wanted = end + 4 + static_cast<size_t>(std::atoi(text.data() + length + 16));
    }
    return true;
  };
}

Ask GrpcClient(const std::string& address, size_t bytes) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  std::shared_ptr<inference::GRPCInferenceService::Stub> stub = inference::GRPCInferenceService::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  auto request = std::make_shared<inference::ModelInferRequest>();
  request->set_model_name("noop");
  auto& input = *request->add_inputs();
  input.set_name("in");
  input.set_datatype("UINT8");
  input.add_shape(static_cast<int64_t>(bytes));
  request->add_raw_input_contents(std::string(bytes, 'x'));
  return [stub, request] {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    return stub->ModelInfer(&context, *request, &response).ok() &&
           response.raw_output_contents(0).size() == kReplyBytes;
  };
}

void AskOrExit(const Ask& ask) {
  if (!ask()) std::fprintf(stderr, "a request failed\n"), std::exit(1);
}

/// Times of single requests, microseconds, for one round.
void TimeRound(const Ask& ask, std::vector<double>& times) {
  const auto end = MonotonicTime::clock::now() + kRoundTime;
  for (auto begin = MonotonicTime::clock::now(); begin < end;) {
    AskOrExit(ask);
    const auto now = MonotonicTime::clock::now();
    times.push_back(ToSeconds(now - begin) * 1e6);
    begin = now;
  }
}

/// Requests per second of many clients at once, for one round.
double RateRound(const std::vector<Ask>& clients) {
  std::atomic<int> count = 0;
  std::vector<std::thread> threads;
  threads.reserve(clients.size());
  const auto begin = MonotonicTime::clock::now();
  for (const Ask& ask : clients) {
    threads.emplace_back([&ask, &count, begin] {
      while (MonotonicTime::clock::now() - begin < kRoundTime) {
        AskOrExit(ask);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  return count / ToSeconds(MonotonicTime::clock::now() - begin);
}

struct Pair {
  const char* name;
  std::string ours;
  std::string floor;
  MakeClient make;
};

/// Microseconds of the engine alone, called directly.
double DirectTime() {
  const auto model = MakeNoOpModel();
  std::vector<double> times;
  for (int i = 0; i < 10'000; ++i) {
    const auto begin = MonotonicTime::clock::now();
    if (!model->Run({}).ok()) std::exit(1);
    times.push_back(ToSeconds(MonotonicTime::clock::now() - begin) * 1e6);
  }
  return Median(times);
}

void Compare(const Pair& pair, size_t bytes) {
  const Ask ours = pair.make(pair.ours, bytes), floor = pair.make(pair.floor, bytes);
  std::vector<double> our_times, floor_times, warm_up, our_rates, floor_rates;
  TimeRound(ours, warm_up);
  TimeRound(floor, warm_up);
  for (int round = 0; round < kRounds; ++round) {
    TimeRound(ours, our_times);
    TimeRound(floor, floor_times);
  }
  std::vector<Ask> our_clients, floor_clients;
  for (int i = 0; i < kClients; ++i) {
    our_clients.push_back(pair.make(pair.ours, bytes));
    floor_clients.push_back(pair.make(pair.floor, bytes));
  }
  for (int round = 0; round < kRounds; ++round) {
    our_rates.push_back(RateRound(our_clients));
    floor_rates.push_back(RateRound(floor_clients));
  }
  const double our_p50 = Median(our_times) - DirectTime(), floor_p50 = Median(floor_times);
  const double our_rate = Median(our_rates), floor_rate = Median(floor_rates);
  std::printf("%-14s %7zu B   added p50 %6.1f us, echo %6.1f us, ratio %.2f (goal <= 1.3)   "
              "c=16 %6.0f/s, echo %6.0f/s, ratio %.2f (goal >= 0.85)\n",
              pair.name, bytes, our_p50, floor_p50, our_p50 / floor_p50, our_rate, floor_rate, our_rate / floor_rate);
  std::fflush(stdout);
}

[[noreturn]] void Fail(const Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

/// From the call that a program would make to its callback, without any socket.
void InProcess(const char* name, NoOpNode& node, size_t bytes) {
  const std::vector<std::byte> data(bytes);
  std::vector<double> times;
  for (int i = 0; i < 20'000; ++i) {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    const auto begin = MonotonicTime::clock::now();
    Inference inference(node.core(), begin);
    const Status found = inference.Open("noop", "");
    if (!found.ok()) Fail(found);
    const auto progress =
        inference.Begin({.inputs = {TensorView{{"in", DataType::kUint8, {static_cast<int64_t>(bytes)}}, data}}}, [&] {
          const std::lock_guard lock(mutex);
          done = true;
          changed.notify_one();
        });
    if (!progress.ok()) Fail(progress.status());
    if (*progress == InferenceProgress::kQueued) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return done; });
    }
    inference.End({});
    times.push_back(ToSeconds(MonotonicTime::clock::now() - begin) * 1e6);
  }
  std::printf("%-14s %7zu B   p50 %.1f us (goal < 15)\n", name, bytes, Median(times));
}

Result<std::unique_ptr<HttpServer>> ServeRest(NoOpNode& node) {
  HttpServerOptions options;
  options.rest_address = "127.0.0.1:0";
  options.metrics_address = "";
  options.threads = 1; // as the echo server
  return HttpServer::Start(options, node.shared_core(), nullptr);
}

int Main(int core) {
  PinTo(core);
  NoOpNode node({}), pinned({core});
  auto http = ServeRest(node), pinned_http = ServeRest(pinned);
  InferenceServerOptions grpc_options;
  grpc_options.grpc_address = "127.0.0.1:0";
  auto grpc = InferenceServer::Start(grpc_options, node.shared_core());
  if (!http.ok() || !pinned_http.ok() || !grpc.ok()) return 1;
  const HttpEcho http_echo;
  const GrpcEcho grpc_echo;
  std::printf("core %d, answers of %zu B\n", core, kReplyBytes);
  for (const size_t bytes : kSizes) {
    Compare({"REST", (*http)->rest_address(), http_echo.address(), HttpClient}, bytes);
    Compare({"REST, pinned", (*pinned_http)->rest_address(), http_echo.address(), HttpClient}, bytes);
    Compare({"gRPC", (*grpc)->address(), grpc_echo.address(), GrpcClient}, bytes);
    InProcess("in process", node, bytes);
    InProcess("same, pinned", pinned, bytes);
  }
  return 0;
}

} // namespace
} // namespace avocet::bench

int main(int argc, char** argv) {
  return avocet::bench::Main(argc > 1 ? std::atoi(argv[1]) : avocet::bench::LastCore());
}

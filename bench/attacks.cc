// What well-behaved clients notice of attacks on the inference endpoints, REST and gRPC, attackers and clients on one
// machine: requests that were not served, and the p99 of those that were, before and during each attack.
//   attacks [NAME] [--from ADDRESS] [--seconds N]   (default: all, from 127.0.0.1 as the clients, 6 s each)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "bench/attack_clients.h"
#include "bench/attack_server.h"
#include "bench/attack_wire.h"
#include "inference/grpc_service.grpc.pb.h"
#include "messages/units.h"

namespace avocet::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Attacks until `stop` is set.
using Attack = std::function<void(const Target&, const std::atomic<bool>& stop)>;

void InParallel(int count, const std::function<void(int)>& act) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&act, i] { act(i); });
  for (std::thread& thread : threads)
    thread.join();
}

void Pause(const std::atomic<bool>& stop, Duration time) {
  const auto end = MonotonicTime::clock::now() + time;
  while (!stop && MonotonicTime::clock::now() < end)
    std::this_thread::sleep_for(milliseconds(20));
}

// ---- REST ----

/// Announces 64 MiB and sends `part` of it, again whenever it is cut off.
Attack UnfinishedBodies(int connections, std::string path, size_t part) {
  return [=](const Target& target, const std::atomic<bool>& stop) {
    const std::string piece(1 << 16, ' ');
    InParallel(connections, [&](int) {
      while (!stop) {
        Wire wire(target.rest, target.from, stop);
        wire.Send(RequestHead(path, 64 << 20));
        for (size_t sent = 0; sent < part && wire.is_open(); sent += piece.size())
          wire.Send(std::string_view(piece).substr(0, std::min(piece.size(), part - sent)));
        while (wire.is_open() && wire.Receive(4096).empty())
          Pause(stop, milliseconds(100));
        Pause(stop, milliseconds(10));
      }
    });
  };
}

std::string AskForBytes(int64_t bytes, bool is_binary) {
  const std::string json = R"({"inputs":[{"name":"in","shape":[1],"datatype":"INT64","data":[)" +
                           std::to_string(bytes) + R"(]}],"parameters":{"binary_data_output":)" +
                           (is_binary ? "true" : "false") + "}}";
  return RequestHead("/v2/models/large/infer", json.size()) + json;
}

/// Asks for large answers and reads 20 kB a second of each.
Attack SlowReaders(int connections, int64_t bytes, bool is_binary) {
  return [=](const Target& target, const std::atomic<bool>& stop) {
    InParallel(connections, [&](int) {
      while (!stop) {
        Wire wire(target.rest, target.from, stop);
        wire.SetReceiveBuffer(64 * 1024);
        wire.Send(AskForBytes(bytes, is_binary));
        while (wire.is_open()) {
          wire.Receive(2000);
          Pause(stop, milliseconds(100));
        }
      }
    });
  };
}

/// Asks for answers that are refused for their size, as fast as it can.
void HugeAnswers(const Target& target, const std::atomic<bool>& stop) {
  InParallel(4, [&](int i) {
    while (!stop) {
      Wire wire(target.rest, target.from, stop);
      while (wire.is_open()) {
        wire.Send(AskForBytes(600'000'000, i % 2 == 0));
        wire.Receive(1 << 16);
      }
    }
  });
}

void IdleConnections(const Target& target, const std::atomic<bool>& stop) {
  std::vector<std::unique_ptr<Wire>> wires;
  while (!stop) {
    if (wires.size() > 2000) wires.clear();
    wires.push_back(std::make_unique<Wire>(target.rest, target.from, stop));
  }
}

// ---- gRPC ----

/// The length of a message, as gRPC writes it before the message.
std::string MessageHead(uint32_t length) {
  std::string head(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    head += static_cast<char>(length >> shift & 0xff);
  return head;
}

/// Begins a message of 64 MiB and sends all of it but the end.
void UnfinishedMessages(const Target& target, const std::atomic<bool>& stop) {
  constexpr int64_t kLength = (64 << 20) - 5;
  InParallel(40, [&](int) {
    const std::string zeros(16'384, '\0');
    while (!stop) {
      Wire wire(target.grpc, target.from, stop);
      Http2Windows windows;
      wire.Send(Http2Preface(65'535) + Http2Call(1, "ModelInfer"));
      wire.Send(Http2Frame(0, 0, 1, MessageHead(kLength)));
      windows.Sent(5);
      for (int64_t left = kLength - 1; wire.is_open();) {
        const int64_t piece = std::min<int64_t>({left, windows.room(), 16'384});
        if (piece <= 0) {
          const std::string answer = windows.Take(wire.Receive(1 << 16));
          if (!answer.empty()) wire.Send(answer);
          continue;
        }
        wire.Send(Http2Frame(0, 0, 1, std::string_view(zeros).substr(0, static_cast<size_t>(piece))));
        windows.Sent(piece);
        left -= piece;
      }
      Pause(stop, milliseconds(10));
    }
  });
}

inference::ModelInferRequest LargeRequest(int64_t bytes) {
  inference::ModelInferRequest request;
  request.set_model_name("large");
  auto& input = *request.add_inputs();
  input.set_name("in");
  input.set_datatype("INT64");
  input.add_shape(1);
  request.add_raw_input_contents(std::string(reinterpret_cast<const char*>(&bytes), sizeof bytes));
  return request;
}

/// Asks for large answers and lets none of them come: its windows have no room. Few, as making them takes the device.
void UnreadAnswers(const Target& target, const std::atomic<bool>& stop) {
  const std::string message = LargeRequest(60 << 20).SerializeAsString();
  InParallel(16, [&](int) {
    while (!stop) {
      Wire wire(target.grpc, target.from, stop);
      wire.Send(Http2Preface(0));
      for (uint32_t stream = 1; stream < 4 && wire.is_open(); stream += 2)
        wire.Send(Http2Call(stream, "ModelInfer") +
                  Http2Frame(0, 1, stream, MessageHead(static_cast<uint32_t>(message.size())) + message));
      Http2Windows windows;
      while (wire.is_open()) {
        const std::string answer = windows.Take(wire.Receive(1 << 16));
        if (!answer.empty()) wire.Send(answer);
      }
    }
  });
}

/// The same frames again and again; what comes back is read and dropped.
Attack FrameFlood(int connections, std::string frames) {
  return [=](const Target& target, const std::atomic<bool>& stop) {
    InParallel(connections, [&](int) {
      while (!stop) {
        Wire wire(target.grpc, target.from, stop);
        wire.Send(Http2Preface(65'535));
        std::thread reader([&wire] {
          while (wire.is_open())
            wire.Receive(1 << 16);
        });
        while (wire.Send(frames)) {
        }
        reader.join();
        Pause(stop, milliseconds(1));
      }
    });
  };
}

/// Begins calls and takes them back at once.
void RapidReset(const Target& target, const std::atomic<bool>& stop) {
  InParallel(4, [&](int) {
    while (!stop) {
      Wire wire(target.grpc, target.from, stop);
      wire.Send(Http2Preface(65'535));
      std::thread reader([&wire] {
        while (wire.is_open())
          wire.Receive(1 << 16);
      });
      for (uint32_t stream = 1; wire.is_open() && stream < 2'000'000; stream += 2)
        wire.Send(Http2Call(stream, "ModelInfer") + Http2Frame(3, 0, stream, std::string("\0\0\0\x8", 4)));
      reader.join();
    }
  });
}

std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

void Run(const char* name, const Attack& attack, const std::string& from, Duration time) {
  // A server of its own for each: what one attack leaves behind must not count for the next.
  const AttackedServer server = StartAttackedServer();
  const Target target{server.rest, server.grpc, from};
  Seen rest_before, grpc_before, rest, grpc;
  Measure(target, time / 2, rest_before, grpc_before);

  std::atomic<bool> stop = false;
  uint64_t most = 0;
  std::thread attacker([&] { attack(target, stop); });
  std::thread memory([&] {
    while (!stop) {
      most = std::max(most, server.ResidentBytes());
      std::this_thread::sleep_for(milliseconds(50));
    }
  });
  Measure(target, time, rest, grpc);
  stop = true;
  attacker.join();
  memory.join();
  std::this_thread::sleep_for(seconds(1));
  std::printf(
      "%-20s REST p99 %6.2f -> %8.2f ms, unserved %4d of %4zu   gRPC p99 %6.2f -> %8.2f ms, unserved %4d of %4zu"
      "   memory at most %5.0f MiB, a second later %5.0f MiB\n",
      name, rest_before.P99(), rest.P99(), rest.unserved, rest.ms.size() + static_cast<size_t>(rest.unserved),
      grpc_before.P99(), grpc.P99(), grpc.unserved, grpc.ms.size() + static_cast<size_t>(grpc.unserved),
      static_cast<double>(most) / static_cast<double>(kMiB),
      static_cast<double>(server.ResidentBytes()) / static_cast<double>(kMiB));
  std::fflush(stdout);
  close(server.keep_alive);
}

constexpr size_t kAll = (64 << 20) - 1;

int Main(int argc, char** argv) {
  std::string only, from = "127.0.0.1";
  int time = 6;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--from") == 0 && i + 1 < argc)
      from = argv[++i];
    else if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
      time = std::atoi(argv[++i]);
    else
      only = argv[i];
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);

  const std::pair<const char*, Attack> attacks[] = {
      {"nothing", [](const Target&, const std::atomic<bool>& stop) { Pause(stop, std::chrono::hours(1)); }},
      {"heads", UnfinishedBodies(8, "/v2/models/small/infer", 1)},
      {"bodies", UnfinishedBodies(16, "/v2/models/small/infer", kAll)},
      {"small-bodies", UnfinishedBodies(300, "/v2/models/small/infer", 1 << 20)},
      {"unknown-paths", UnfinishedBodies(16, "/v2/models/nobody/infer", kAll)},
      {"slow-readers", SlowReaders(32, 60 << 20, true)},
      {"slow-json", SlowReaders(16, 20 << 20, false)},
      {"huge-answers", HugeAnswers},
      {"idle", IdleConnections},
      {"grpc-unfinished", UnfinishedMessages},
      {"grpc-unread", UnreadAnswers},
      {"grpc-settings", FrameFlood(4, Repeated(Http2Frame(4, 0, 0, ""), 1000))},
      {"grpc-pings", FrameFlood(4, Repeated(Http2Frame(6, 0, 0, "12345678"), 1000))},
      {"grpc-resets", RapidReset},
  };
  for (const auto& [name, attack] : attacks) {
    if (!only.empty() && only != name) continue;
    // Each in a process of its own: gRPC's threads must not be there when the server is forked.
    const pid_t process = fork();
    if (process == 0) {
      Run(name, attack, from, seconds(time));
      std::_Exit(0);
    }
    waitpid(process, nullptr, 0);
  }
  return 0;
}

} // namespace
} // namespace avocet::bench

int main(int argc, char** argv) {
  return avocet::bench::Main(argc, argv);
}

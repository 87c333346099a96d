#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/load/load_generator.h"
#include "cli/load/load_report.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

enum class TensorFill { kZeros, kRandom };

inline constexpr size_t kMaxLoadConnections = 1024;

struct LoadClientOptions {
  std::string address = "127.0.0.1:8001"; ///< host:port of an agent's endpoint
  LoadProtocol protocol = LoadProtocol::kGrpc;
  /// PEM file of the authority that the endpoint's certificate must descend from; empty: it is not encrypted.
  std::filesystem::path ca;
  /// gRPC: how many share the requests. HTTP: how many are opened at most, each for one request at a
  /// time; requests that find none free wait, which counts as latency and as lag. 0: 2 and 256.
  size_t connections = 0;
  Duration connect_deadline = std::chrono::seconds(5);
  Duration request_deadline = std::chrono::seconds(10); ///< of each request; HTTP: to about a twentieth
  Duration drain_deadline = std::chrono::seconds(10);   ///< wait for the last answers, then cancel them
  uint64_t max_outstanding = 1024; ///< per application; requests due beyond it are dropped and counted
  TensorFill fill = TensorFill::kZeros;
};
Status Validate(const LoadClientOptions& options);

struct AppLoadProgress {
  AppId app;
  uint64_t sent = 0;
  uint64_t ok = 0;
  uint64_t failed = 0;
  uint64_t dropped = 0;
  uint64_t outstanding = 0;
  // Of the successes of the latest second or so; the percentiles are off by 4.5 % at most.
  double ok_rps = 0;
  std::optional<Duration> p50;
  std::optional<Duration> p99;
};

struct LoadProgress {
  Duration elapsed{};
  Duration planned{};
  std::vector<AppLoadProgress> apps;
};
/// Called about five times a second on the thread that called RunLoad, which sends nothing.
using OnLoadProgress = std::function<void(const LoadProgress&)>;

/// Runs a plan against an Open Inference Protocol endpoint and blocks until it is over: asks for
/// each application's inputs, builds one request per application, sends it at the scheduled
/// moments (in a closed loop: whenever one was answered), waits for the answers. Unknown extents of
/// a shape become 1. Each request has an id of its own, and an answer with another one is a failure.
/// A stop request ends the schedule early (LoadReport::interrupted), as does the number of requests
/// that is kept at most. Failed requests are part of the report; errors of the call itself:
/// kInvalidArgument (plan, options), kUnavailable (nobody answers at the address), kNotFound (an
/// application is not served there), kUnsupported (its inputs cannot be made). Of the answers'
/// parameters it reads "emulated" and, where a server sends it, "response_time_ns".
Result<LoadReport> RunLoad(const LoadPlan& plan, const LoadClientOptions& options,
                           const OnLoadProgress& on_progress = {}, std::stop_token stop = {});

} // namespace avocet

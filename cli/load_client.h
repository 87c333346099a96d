#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/load_generator.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"

namespace avocet {

enum class TensorFill { kZeros, kRandom };

struct LoadClientOptions {
  std::string address = "127.0.0.1:8001"; ///< host:port of an agent's gRPC endpoint
  Duration connect_deadline = std::chrono::seconds(5);
  Duration request_deadline = std::chrono::seconds(10); ///< of each request
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
};

struct LoadProgress {
  Duration elapsed{};
  Duration planned{};
  std::vector<AppLoadProgress> apps;
};
/// Called about five times a second on the thread that runs the load. Must be quick.
using OnLoadProgress = std::function<void(const LoadProgress&)>;

/// Runs a plan against an Open Inference Protocol endpoint and blocks until it is over: asks for
/// each application's inputs, builds one request per application, sends it at the scheduled
/// moments, waits for the answers. Unknown extents of a shape become 1. A stop request ends the
/// schedule early (LoadReport::interrupted). Failed requests are part of the report; errors of the
/// call itself: kInvalidArgument (plan, options), kUnavailable (nobody answers at the address),
/// kNotFound (an application is not served there), kUnsupported (its inputs cannot be made). Of the
/// answers' parameters it reads "emulated" and, where a server sends it, "response_time_ns".
Result<LoadReport> RunLoad(const LoadPlan& plan, const LoadClientOptions& options,
                           const OnLoadProgress& on_progress = {}, std::stop_token stop = {});

} // namespace avocet

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/inference/inference_core.h"
#include "node_agent/inference/request_parameters.h"
#include "node_agent/scheduling/device_scheduler.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {

/// What a decoded request asks for, besides the application.
struct InferenceQuery {
  std::vector<TensorView> inputs;           ///< their bytes must live until `ready`
  std::span<const RequestedOutput> outputs; ///< empty: all
  std::optional<MonotonicTime> deadline;    ///< of the call itself, when the transport has one
  const Parameters* parameters = nullptr;   ///< `timeout` and `priority` are looked at
};

/// What a successful inference says. Outputs are in the order asked for; the inference owns them.
struct InferenceAnswer {
  ModelId model;
  bool emulated = false;
  std::vector<const Tensor*> outputs;
  std::vector<uint32_t> classes; ///< of each output that was named: how many to send in its place (ClassifyOutputs)
};

enum class InferenceProgress {
  kQueued, ///< the answer comes later
  kReady,  ///< the answer is there
};

/// One inference from the complete request to the answer: what the transports have in common. Used by
/// one thread at a time, in this order: Open, Begin, (ready), answers, End. Only Cancel may come at
/// any time between Begin and End. Every object that was opened must be ended: End counts it.
class Inference {
public:
  /// `received`: when the request was complete.
  Inference(InferenceCore& core, MonotonicTime received) : core_(core), received_(received) {}
  Inference(const Inference&) = delete;
  Inference& operator=(const Inference&) = delete;

  /// Finds the application; kNotFound.
  Status Open(const std::string& name, const std::string& version);
  /// The application's share of the budget. Requires Open.
  const std::shared_ptr<BudgetShare>& share() const { return route_.share; }
  /// The tensors of the application that was found; kUnavailable once it is withdrawn.
  Result<std::shared_ptr<const ModelSignature>> signature() const;
  /// Queues the request with its device, or runs it at once where that is short (DeviceScheduler::SubmitOrRun).
  /// After kQueued `ready` is called once, on an executor's thread or on the thread that withdraws the request;
  /// after kReady never.
  Result<InferenceProgress> Begin(InferenceQuery query, std::function<void()> ready);
  /// The client gave up: a queued request leaves its queue, a running one stops where the engine can.
  void Cancel();

  // From `ready` or kReady on:

  /// How it went, as clients see it. A `timeout` of the request that passed is kUnavailable and says
  /// "Request timeout expired" (as Triton does), so that clients do not take it for the call's own.
  const Status& status() const { return completion_.status; }
  /// Only after success; kInternal when the engine returned too few outputs.
  Result<InferenceAnswer> answer() const;
  /// Of all outputs, whether or not they were asked for; 0 once they were taken.
  uint64_t output_bytes() const;
  /// Leaves none behind: the answer is void.
  std::vector<Tensor> TakeOutputs() { return std::exchange(completion_.outputs, {}); }

  /// The answer, good or bad, was handed to the transport.
  void End(const Status& sent);

private:
  Result<InferenceProgress> Submit(InferenceQuery query, std::function<void()> ready);
  void Take(Completion completion);
  Status ForClient(Status status);
  Status CheckSize() const;

  InferenceCore& core_;
  const MonotonicTime received_;
  Route route_;
  std::weak_ptr<DeviceScheduler> device_; // not shared: the last owner of a device must not be its own executor
  AppId app_;
  std::optional<MonotonicTime> call_deadline_;
  std::stop_source stop_;
  std::vector<ChosenOutput> chosen_;
  Completion completion_;
  StatusCode why_ = StatusCode::kOk; ///< it failed, before clients get a gentler reason
};

} // namespace avocet

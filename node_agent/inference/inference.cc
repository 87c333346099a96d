#include "node_agent/inference/inference.h"

#include <algorithm>
#include <utility>

#include "node_agent/inference/answer_room.h"

namespace avocet {
namespace {

std::optional<MonotonicTime> Earlier(std::optional<MonotonicTime> a, std::optional<MonotonicTime> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

} // namespace

Status Inference::Open(const std::string& name, const std::string& version) {
  AVOCET_ASSIGN_OR_RETURN(route_, core_.Find(name, version));
  app_ = AppId(name);
  device_ = std::exchange(route_.device, nullptr);
  route_.statistics->Began();
  return {};
}

Result<std::shared_ptr<const ModelSignature>> Inference::signature() const {
  const auto device = device_.lock();
  if (!device) return Unavailable("application '" + app_.str() + "' was withdrawn; retry");
  return device->SignatureOf(app_);
}

Result<InferenceProgress> Inference::Begin(InferenceQuery query, std::function<void()> ready) {
  call_deadline_ = query.deadline;
  auto progress = Submit(std::move(query), std::move(ready));
  if (!progress.ok()) return ForClient(progress.status());
  return progress;
}

void Inference::Take(Completion completion) {
  completion_ = std::move(completion);
  if (completion_.status.ok()) completion_.status = CheckSize();
  if (!completion_.status.ok()) completion_.outputs.clear();
  completion_.status = ForClient(std::move(completion_.status));
}

uint64_t Inference::output_bytes() const {
  uint64_t bytes = 0;
  for (const Tensor& output : completion_.outputs)
    bytes += output.data.size();
  return bytes;
}

Status Inference::CheckSize() const {
  return CheckAnswerSize(output_bytes(), core_.options().max_answer_bytes, "outputs");
}

/// As Triton does: the request's own `timeout` is no DEADLINE_EXCEEDED, which clients take for the call's.
Status Inference::ForClient(Status status) {
  if (!status.ok()) why_ = status.code();
  if (why_ != StatusCode::kDeadlineExceeded) return status;
  if (call_deadline_ && *call_deadline_ <= MonotonicTime::clock::now()) return status;
  return Unavailable("Request timeout expired: " + status.message());
}

Result<InferenceProgress> Inference::Submit(InferenceQuery query, std::function<void()> ready) {
  static const Parameters kNone;
  const Parameters& parameters = query.parameters != nullptr ? *query.parameters : kNone;
  AVOCET_ASSIGN_OR_RETURN(const auto timeout, TimeoutOf(parameters));
  AVOCET_RETURN_IF_ERROR(CheckPriority(parameters));

  // Held from here on: a withdrawn placement must not vanish between the checks and the queue.
  const auto device = device_.lock();
  if (!device) return Unavailable("application '" + app_.str() + "' was withdrawn; retry");

  if (!query.outputs.empty()) {
    AVOCET_ASSIGN_OR_RETURN(const auto signature, device->SignatureOf(app_));
    AVOCET_ASSIGN_OR_RETURN(chosen_, SelectOutputs(query.outputs, *signature));
  }

  InferenceRequest request;
  request.app = app_;
  request.inputs = std::move(query.inputs);
  request.received = received_;
  // The nearer of the two: the call's own deadline, and the timeout parameter, which counts from receipt.
  request.deadline = Earlier(call_deadline_, timeout ? std::optional(received_ + *timeout) : std::nullopt);
  request.cancel = stop_.get_token();
  request.max_output_bytes = core_.options().max_answer_bytes;
  // `this` outlives the call: every Inference is ended, and that only after its device called done.
  request.done = [this, ready = std::move(ready)](Completion completion) {
    Take(std::move(completion));
    ready();
  };

  // An idle device runs the request here and now: that saves two changes of thread per inference.
  AVOCET_ASSIGN_OR_RETURN(auto made, device->SubmitOrRun(std::move(request)));
  if (!made.has_value()) return InferenceProgress::kQueued;
  Take(std::move(*made));
  return InferenceProgress::kReady;
}

void Inference::Cancel() {
  stop_.request_stop();
  if (const auto device = device_.lock()) device->DropCancelled();
}

Result<InferenceAnswer> Inference::answer() const {
  const auto& outputs = completion_.outputs;
  InferenceAnswer answer{route_.model, route_.emulated, {}, {}};
  const size_t count = chosen_.empty() ? outputs.size() : chosen_.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t index = chosen_.empty() ? i : chosen_[i].index;
    if (index >= outputs.size())
      return Internal("the engine returned " + std::to_string(outputs.size()) + " outputs, fewer than the model has");
    answer.outputs.push_back(&outputs[index]);
    if (!chosen_.empty()) answer.classes.push_back(chosen_[i].classes);
  }
  return answer;
}

void Inference::End(const Status& sent) {
  if (!route_.statistics) return core_.CountRefusal(sent.code());
  const MonotonicTime now = MonotonicTime::clock::now();
  if (!sent.ok()) return route_.statistics->Failed(why_ != StatusCode::kOk ? why_ : sent.code(), now - received_);
  const Stamps& stamps = completion_.stamps;
  route_.statistics->Succeeded({stamps.received, stamps.enqueued, stamps.started, stamps.finished, now},
                               std::chrono::system_clock::now());
}

} // namespace avocet

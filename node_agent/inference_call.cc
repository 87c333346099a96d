#include "node_agent/inference_call.h"

#include <algorithm>
#include <utility>

#include "messages/text.h"

namespace avocet {
namespace {

// A status travels in the trailers, which clients bound at 8 KiB, percent-encoded.
constexpr size_t kMaxStatusBytes = 1024;

grpc::StatusCode ToGrpcCode(StatusCode code) {
  switch (code) {
  case StatusCode::kOk:
    return grpc::StatusCode::OK;
  case StatusCode::kInvalidArgument:
    return grpc::StatusCode::INVALID_ARGUMENT;
  case StatusCode::kNotFound:
    return grpc::StatusCode::NOT_FOUND;
  case StatusCode::kAlreadyExists:
    return grpc::StatusCode::ALREADY_EXISTS;
  case StatusCode::kRejected:
    return grpc::StatusCode::FAILED_PRECONDITION;
  case StatusCode::kUnavailable:
    return grpc::StatusCode::UNAVAILABLE;
  case StatusCode::kDeadlineExceeded:
    return grpc::StatusCode::DEADLINE_EXCEEDED;
  case StatusCode::kCancelled:
    return grpc::StatusCode::CANCELLED;
  case StatusCode::kDenied:
    return grpc::StatusCode::PERMISSION_DENIED;
  case StatusCode::kUnsupported:
    return grpc::StatusCode::UNIMPLEMENTED;
  case StatusCode::kResourceExhausted:
    return grpc::StatusCode::RESOURCE_EXHAUSTED;
  case StatusCode::kCorruption:
  case StatusCode::kInternal:
    return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::UNKNOWN;
}

/// A call's deadline on the local clock; nullopt when it has none.
std::optional<MonotonicTime> DeadlineOf(const grpc::CallbackServerContext& context, MonotonicTime now) {
  constexpr auto kFar = std::chrono::hours(24 * 365);
  const auto left = context.deadline() - std::chrono::system_clock::now();
  if (context.deadline() == std::chrono::system_clock::time_point::max() || left > kFar) return std::nullopt;
  return now + std::chrono::duration_cast<Duration>(left);
}

std::optional<MonotonicTime> Earlier(std::optional<MonotonicTime> a, std::optional<MonotonicTime> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

bool HasVersion(const Route& route, const std::string& version) {
  return version.empty() || version == VersionOf(route.model);
}

} // namespace

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {ToGrpcCode(status.code()), ToText(status.message(), kMaxStatusBytes)};
}

Result<Route> FindRoute(const Router& router, const std::string& name, const std::string& version) {
  const std::string quoted = "'" + ToText(name, 64) + "'";
  if (!IsName(name)) return NotFound(quoted + " is not the name of an application");
  Route route = router.Find(AppId(name));
  if (!route.device) return NotFound("application " + quoted + " is not served here");
  if (HasVersion(route, version)) return route;
  return NotFound("application " + quoted + " runs version " + VersionOf(route.model) + " of its model, not " +
                  ToText(version, 64));
}

InferCall::InferCall(const grpc::CallbackServerContext& context, const inference::ModelInferRequest& request,
                     inference::ModelInferResponse& response, ReplySender& sender)
    : request_(request), response_(response), sender_(sender), received_(MonotonicTime::clock::now()),
      call_deadline_(DeadlineOf(context, received_)) {}

void InferCall::Begin(const Router& router) {
  const Status status = Submit(router);
  if (!status.ok()) Answer(status);
}

void InferCall::OnCancel() {
  stop_.request_stop();
  if (const auto device = device_.lock()) device->DropCancelled();
}

Status InferCall::Submit(const Router& router) {
  auto route = FindRoute(router, request_.model_name(), request_.model_version());
  if (!route.ok()) return route.status();
  const auto timeout = DecodeTimeout(request_);
  if (!timeout.ok()) return timeout.status();
  auto inputs = DecodeInputs(request_);
  if (!inputs.ok()) return inputs.status();
  AVOCET_RETURN_IF_ERROR(ChooseOutputs(*route->device));
  device_ = route->device;
  facts_ = {route->model, route->emulated};
  converted_ = std::move(inputs->converted);
  InferenceRequest request;
  request.app = AppId(request_.model_name());
  request.inputs = std::move(inputs->views);
  request.received = received_;
  request.deadline = Earlier(call_deadline_, *timeout ? std::optional(received_ + **timeout) : std::nullopt);
  request.cancel = stop_.get_token();
  request.done = [this](Completion completion) {
    completion_ = std::move(completion);
    sender_.Post(*this);
  };
  return route->device->Submit(std::move(request));
}

Status InferCall::ChooseOutputs(const DeviceScheduler& device) {
  if (request_.outputs_size() == 0) return {};
  const auto signature = device.SignatureOf(AppId(request_.model_name()));
  if (!signature.ok()) return signature.status();
  auto chosen = SelectOutputs(request_, *signature);
  if (chosen.ok()) chosen_ = std::move(*chosen);
  return chosen.status();
}

void InferCall::Send() {
  if (!completion_.status.ok()) return Answer(completion_.status);
  EncodeFacts(request_, facts_, response_);
  Answer(EncodeOutputs(completion_.outputs, chosen_, response_));
}

/// The last thing that may touch this object.
void InferCall::Answer(const Status& status) {
  const bool is_late = status.code() == StatusCode::kDeadlineExceeded;
  const bool is_call_late = call_deadline_ && *call_deadline_ <= MonotonicTime::clock::now();
  // As Triton does: its own `timeout` is no DEADLINE_EXCEEDED, which clients take for the call's.
  if (is_late && !is_call_late) return Finish(ToGrpc(Unavailable("Request timeout expired: " + status.message())));
  Finish(ToGrpc(status));
}

} // namespace avocet

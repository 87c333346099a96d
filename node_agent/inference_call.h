#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/device_scheduler.h"
#include "node_agent/inference_codec.h"
#include "node_agent/reply_sender.h"
#include "node_agent/router.h"

namespace avocet {

/// The status as clients see it; its text is cut to what a trailer holds.
grpc::Status ToGrpc(const Status& status);

/// The route of a served application in the version that was asked for (empty: any), or kNotFound.
Result<Route> FindRoute(const Router& router, const std::string& name, const std::string& version);

/// One ModelInfer call, from the complete request to the reply. Owns itself: gRPC says OnDone after
/// the reply and after every OnCancel. The request message lives until then, so the inputs are used
/// in place and need no other owner.
class InferCall final : public grpc::ServerUnaryReactor, private Reply {
public:
  InferCall(const grpc::CallbackServerContext& context, const inference::ModelInferRequest& request,
            inference::ModelInferResponse& response, ReplySender& sender);

  /// Queues the request with its device, or replies why not. Never blocks.
  void Begin(const Router& router);

  void OnCancel() override;
  void OnDone() override { delete this; }

private:
  Status Submit(const Router& router);
  Status ChooseOutputs(const DeviceScheduler& device);
  void Send() override;
  void Answer(const Status& status);

  const inference::ModelInferRequest& request_;
  inference::ModelInferResponse& response_;
  ReplySender& sender_;
  const MonotonicTime received_;
  const std::optional<MonotonicTime> call_deadline_;
  std::weak_ptr<DeviceScheduler> device_; // not shared: the last owner of a device must not be its own executor
  std::stop_source stop_;
  ResponseFacts facts_;
  std::vector<size_t> chosen_;
  std::vector<std::vector<std::byte>> converted_;
  Completion completion_;
};

} // namespace avocet

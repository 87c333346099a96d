#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "inference/health.grpc.pb.h"
#include "messages/units.h"
#include "node_agent/grpc/call_drain.h"
#include "node_agent/inference/inference_core.h"

namespace avocet {

class HealthWatch;

/// grpc.health.v1.Health: of the server (an empty name, or that of the inference service) and of each application
/// by its name. What nobody serves here is NOT_FOUND, for a Watch SERVICE_UNKNOWN. Thread-safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
public:
  static constexpr size_t kMaxWatches = 1024; ///< one more is RESOURCE_EXHAUSTED

  /// `look_every`: how soon a Watch is told of a change. Both outlive it.
  HealthService(const InferenceCore& core, CallDrain& drain, Duration look_every = std::chrono::milliseconds(500));
  ~HealthService() override;

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>*
  Watch(grpc::CallbackServerContext* context, const grpc::health::v1::HealthCheckRequest* request) override;

private:
  void Loop();
  bool Add(const std::shared_ptr<HealthWatch>& watch);

  const InferenceCore& core_;
  CallDrain& drain_;
  const Duration look_every_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::weak_ptr<HealthWatch>> watches_;
  bool is_stopping_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace avocet

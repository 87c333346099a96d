#include "node_agent/grpc/health_service.h"

#include <pthread.h>

#include <optional>
#include <utility>

#include "node_agent/grpc/inference_status.h"

namespace avocet {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr const char* kInferenceService = "inference.GRPCInferenceService";

HealthCheckResponse::ServingStatus HealthOf(const InferenceCore& core, const std::string& name) {
  const bool is_known = name.empty() || name == kInferenceService || core.Find(name, "").ok();
  if (!is_known) return HealthCheckResponse::SERVICE_UNKNOWN;
  return core.ready() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

} // namespace

/// One Watch: tells the health now, and whenever it has changed. Owns itself until gRPC says OnDone.
class HealthWatch final : public grpc::ServerWriteReactor<HealthCheckResponse>, public DrainableCall {
public:
  HealthWatch(const InferenceCore& core, std::string name) : core_(core), name_(std::move(name)) {}

  void Begin(std::shared_ptr<HealthWatch> self) { self_ = std::move(self); }
  void Look() { Proceed(std::unique_lock(mutex_)); }
  void Drain() override { End({grpc::StatusCode::UNAVAILABLE, "the server is stopping"}); }
  void End(const grpc::Status& status) {
    std::unique_lock lock(mutex_);
    if (!end_) end_ = status;
    Proceed(std::move(lock));
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    is_writing_ = false;
    if (!ok && !end_) end_ = grpc::Status::CANCELLED;
    Proceed(std::move(lock));
  }
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override { const auto last = std::move(self_); }

private:
  void Proceed(std::unique_lock<std::mutex> lock) {
    if (is_writing_ || is_finished_) return;
    const auto health = HealthOf(core_, name_);
    // The last word of a watch that ends is how things stand, too.
    const bool writes = !sent_ || *sent_ != health;
    if (!writes && !end_) return;
    is_writing_ = writes;
    is_finished_ = !writes;
    if (writes) {
      sent_ = health;
      response_.set_status(health);
    }
    const auto status = end_;
    lock.unlock();
    if (writes)
      StartWrite(&response_);
    else
      Finish(*status);
  }

  const InferenceCore& core_;
  const std::string name_;
  std::shared_ptr<HealthWatch> self_;
  std::mutex mutex_;
  HealthCheckResponse response_; ///< being written
  std::optional<HealthCheckResponse::ServingStatus> sent_;
  std::optional<grpc::Status> end_; ///< how it is to end
  bool is_writing_ = false;
  bool is_finished_ = false;
};

HealthService::HealthService(const InferenceCore& core, CallDrain& drain, Duration look_every)
    : core_(core), drain_(drain), look_every_(look_every), thread_([this] { Loop(); }) {
  pthread_setname_np(thread_.native_handle(), "av-health");
}

HealthService::~HealthService() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  const auto health = HealthOf(core_, request->service());
  const bool is_known = health != HealthCheckResponse::SERVICE_UNKNOWN;
  if (is_known) response->set_status(health);
  auto* reactor = context->DefaultReactor();
  reactor->Finish(is_known ? grpc::Status::OK : ToGrpc(core_.Find(request->service(), "").status()));
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(grpc::CallbackServerContext*,
                                                                    const HealthCheckRequest* request) {
  const auto watch = std::make_shared<HealthWatch>(core_, request->service());
  watch->Begin(watch);
  if (Add(watch))
    watch->Look();
  else
    watch->End({grpc::StatusCode::RESOURCE_EXHAUSTED, "more than " + std::to_string(kMaxWatches) + " watches"});
  drain_.Add(watch);
  return watch.get();
}

bool HealthService::Add(const std::shared_ptr<HealthWatch>& watch) {
  const std::lock_guard lock(mutex_);
  if (watches_.size() >= kMaxWatches) std::erase_if(watches_, [](const auto& one) { return one.expired(); });
  if (watches_.size() >= kMaxWatches) return false;
  watches_.push_back(watch);
  changed_.notify_one();
  return true;
}

void HealthService::Loop() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    if (watches_.empty())
      changed_.wait(lock, [this] { return is_stopping_ || !watches_.empty(); });
    else
      changed_.wait_for(lock, look_every_, [this] { return is_stopping_; });

    std::erase_if(watches_, [](const auto& one) { return one.expired(); });
    const auto watches = watches_;
    // Without the lock, as a watch may call back at once.
    lock.unlock();
    for (const auto& one : watches) {
      if (const auto watch = one.lock()) watch->Look();
    }
    lock.lock();
  }
}

} // namespace avocet

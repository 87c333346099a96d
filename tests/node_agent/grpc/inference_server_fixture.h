#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "inference/grpc_service.grpc.pb.h"
#include "node_agent/grpc/inference_server.h"
#include "tests/node_agent/scheduling/served_device_fixture.h"

namespace avocet {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

/// A gRPC server in front of app-a and app-b, and a client.
class InferenceServerTest : public ServedDeviceTest {
protected:
  void SetUp() override { Start({}); }

  void Start(InferenceServerOptions options, SchedulerOptions scheduler = {}) {
    server_.reset();
    Serve(scheduler, {});
    options.grpc_address = "127.0.0.1:0";
    auto server = InferenceServer::Start(options, core_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
    stub_ = NewStub();
  }

  std::unique_ptr<inference::GRPCInferenceService::Stub> NewStub() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt("avocet.test.channel", channels++); // a connection of its own
    arguments.SetMaxReceiveMessageSize(-1);
    return inference::GRPCInferenceService::NewStub(
        grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments));
  }

  static void LimitTo(grpc::ClientContext& context, Duration time) {
    context.set_deadline(std::chrono::system_clock::now() + time);
  }

  static ModelInferRequest GoodRequest(const AppId& app = kAppA) {
    ModelInferRequest request;
    request.set_model_name(app.str());
    auto& input = *request.add_inputs();
    input.set_name("in");
    input.set_datatype("FP32");
    input.add_shape(2);
    request.add_raw_input_contents(std::string("\0\0\x80\x3f\0\0\0\x40", 8)); // 1, 2
    return request;
  }

  grpc::Status Infer(const ModelInferRequest& request, ModelInferResponse* response = nullptr) {
    ModelInferResponse ignored;
    grpc::ClientContext context;
    LimitTo(context, kPatience);
    return stub_->ModelInfer(&context, request, response != nullptr ? response : &ignored);
  }

  bool TakesNewCalls() {
    grpc::ClientContext context;
    LimitTo(context, kPatience);
    inference::ServerLiveResponse response;
    return NewStub()->ServerLive(&context, {}, &response).ok();
  }

  static inline std::atomic<int> channels = 0;
  std::unique_ptr<InferenceServer> server_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
};

/// A call whose answer is awaited later.
struct Call {
  Call(inference::GRPCInferenceService::Stub& stub, ModelInferRequest r) : request(std::move(r)) {
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    stub.async()->ModelInfer(&context, &request, &response, [this](grpc::Status s) {
      const std::lock_guard lock(mutex);
      status = std::move(s);
      changed.notify_all();
    });
  }
  ~Call() { Await(); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  grpc::Status Await() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return status.has_value(); }); // ends: the call has a deadline
    return *status;
  }
  grpc::ClientContext context;
  ModelInferRequest request;
  ModelInferResponse response;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<grpc::Status> status;
};

} // namespace avocet

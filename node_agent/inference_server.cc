#include "node_agent/inference_server.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <limits>
#include <mutex>
#include <utility>

#include "inference/grpc_service.grpc.pb.h"
#include "messages/address.h"
#include "node_agent/inference_call.h"
#include "node_agent/inference_codec.h"
#include "node_agent/reply_sender.h"

namespace avocet {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using inference::ModelInferRequest;
using inference::ModelInferResponse;

constexpr int kKeepAliveMs = 60'000;        // finds dead clients,
constexpr int kKeepAliveTimeoutMs = 20'000; // this much later
constexpr int kMinClientPingMs = 10'000;    // clients may ask as often
constexpr int kMaxStreamsPerConnection = 1024;

class InferenceService : public inference::GRPCInferenceService::CallbackService {
public:
  InferenceService(const InferenceServerOptions& options, std::shared_ptr<const Router> router)
      : name_(options.server_name), version_(options.server_version), router_(std::move(router)) {}

  void SetReady(bool ready) { ready_ = ready; }

  ServerUnaryReactor* ServerLive(CallbackServerContext* context, const inference::ServerLiveRequest*,
                                 inference::ServerLiveResponse* response) override {
    response->set_live(true);
    return Answer(context, Status());
  }

  ServerUnaryReactor* ServerReady(CallbackServerContext* context, const inference::ServerReadyRequest*,
                                  inference::ServerReadyResponse* response) override {
    response->set_ready(ready_);
    return Answer(context, Status());
  }

  ServerUnaryReactor* ModelReady(CallbackServerContext* context, const inference::ModelReadyRequest* request,
                                 inference::ModelReadyResponse* response) override {
    response->set_ready(FindRoute(*router_, request->name(), request->version()).ok());
    return Answer(context, Status());
  }

  // No extension of the protocol is served in full, so none is listed.
  ServerUnaryReactor* ServerMetadata(CallbackServerContext* context, const inference::ServerMetadataRequest*,
                                     inference::ServerMetadataResponse* response) override {
    response->set_name(name_);
    response->set_version(version_);
    return Answer(context, Status());
  }

  ServerUnaryReactor* ModelMetadata(CallbackServerContext* context, const inference::ModelMetadataRequest* request,
                                    inference::ModelMetadataResponse* response) override {
    return Answer(context, Describe(*request, *response));
  }

  ServerUnaryReactor* ModelInfer(CallbackServerContext* context, const ModelInferRequest* request,
                                 ModelInferResponse* response) override {
    auto call = std::make_unique<InferCall>(*context, *request, *response, sender_);
    call->Begin(*router_);
    return call.release(); // OnDone deletes it, and comes only after this return
  }

private:
  static ServerUnaryReactor* Answer(CallbackServerContext* context, const Status& status) {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(status));
    return reactor;
  }

  Status Describe(const inference::ModelMetadataRequest& request, inference::ModelMetadataResponse& response) const {
    const auto route = FindRoute(*router_, request.name(), request.version());
    if (!route.ok()) return route.status();
    const auto signature = route->device->SignatureOf(AppId(request.name()));
    if (!signature.ok()) return signature.status();
    const DeviceSpec& device = route->device->spec();
    response.set_name(request.name());
    response.add_versions(VersionOf(route->model));
    response.set_platform("avocet_" + std::string(ToString(device.engine)));
    EncodeSignature(*signature, response);
    auto& properties = *response.mutable_properties();
    properties["model"] = route->model.str();
    properties["device"] = device.id().str();
    if (route->emulated) properties["emulated"] = "true";
    return {};
  }

  const std::string name_;
  const std::string version_;
  const std::shared_ptr<const Router> router_;
  std::atomic<bool> ready_ = false;
  ReplySender sender_;
};

Status CheckOptions(const InferenceServerOptions& options) {
  const auto most = static_cast<uint64_t>(std::numeric_limits<int>::max());
  if (options.max_message_bytes >= 1 && options.max_message_bytes <= most) return {};
  return InvalidArgument("max_message_bytes is " + std::to_string(options.max_message_bytes) + ", must be 1 .. " +
                         std::to_string(most));
}

void SetLimits(grpc::ServerBuilder& builder, const InferenceServerOptions& options) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0); // a port in use is an error, not a share
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepAliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinClientPingMs);
}

} // namespace

class InferenceServer::Impl {
public:
  Impl(const InferenceServerOptions& options, std::shared_ptr<const Router> router)
      : options_(options), service_(options, std::move(router)) {}

  Status Start() {
    AVOCET_RETURN_IF_ERROR(CheckOptions(options_));
    AVOCET_RETURN_IF_ERROR(RequireLoopback(options_.grpc_address, "inference")); // there is no TLS here
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options_.grpc_address, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    SetLimits(builder, options_);
    server_ = builder.BuildAndStart();
    if (!server_ || port == 0)
      return Unavailable("cannot listen on '" + options_.grpc_address + "': the port is in use or not allowed");
    address_ = WithPort(options_.grpc_address, port);
    return {};
  }

  void Stop() {
    std::call_once(stopped_, [this] {
      service_.SetReady(false);
      if (!server_) return;
      server_->Shutdown(std::chrono::system_clock::now() + options_.drain_deadline);
      server_->Wait();
    });
  }

  const std::string& address() const { return address_; }
  InferenceService& service() { return service_; }

private:
  const InferenceServerOptions options_;
  InferenceService service_;
  std::unique_ptr<grpc::Server> server_; // after the service that it calls
  std::string address_;
  std::once_flag stopped_;
};

Result<std::unique_ptr<InferenceServer>> InferenceServer::Start(const InferenceServerOptions& options,
                                                                std::shared_ptr<const Router> router) {
  auto impl = std::make_unique<Impl>(options, std::move(router));
  AVOCET_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<InferenceServer>(new InferenceServer(std::move(impl)));
}

InferenceServer::InferenceServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
InferenceServer::~InferenceServer() {
  Stop();
}
std::string InferenceServer::address() const {
  return impl_->address();
}
void InferenceServer::SetReady(bool ready) {
  impl_->service().SetReady(ready);
}
void InferenceServer::Stop() {
  impl_->Stop();
}

} // namespace avocet

#include "node_agent/grpc/inference_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <limits>
#include <mutex>
#include <utility>

#include "inference/grpc_service.grpc.pb.h"
#include "messages/address.h"
#include "node_agent/grpc/extension_service.h"
#include "node_agent/grpc/grpc_port.h"
#include "node_agent/grpc/health_service.h"
#include "node_agent/grpc/inference_call.h"
#include "node_agent/grpc/inference_metadata_codec.h"
#include "node_agent/grpc/inference_status.h"
#include "node_agent/grpc/inference_stream.h"
#include "node_agent/grpc/server_credentials.h"
#include "node_agent/inference/reply_sender.h"

namespace avocet {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

constexpr int kKeepAliveMs = 60'000;        // finds dead clients,
constexpr int kKeepAliveTimeoutMs = 20'000; // this much later
constexpr int kMinClientPingMs = 10'000;    // clients may ask as often
constexpr int kMaxStreamsPerConnection = 1024;

/// For answers that are on their way to the clients when nothing else is in hand.
constexpr Duration kLastWord = std::chrono::milliseconds(100);

using Protocol = inference::GRPCInferenceService;
/// Methods of Triton's that are answered by ExtensionService.
using Extensions = Protocol::WithCallbackMethod_SystemSharedMemoryStatus<
    Protocol::WithCallbackMethod_SystemSharedMemoryRegister<Protocol::WithCallbackMethod_SystemSharedMemoryUnregister<
        Protocol::WithCallbackMethod_CudaSharedMemoryStatus<Protocol::WithCallbackMethod_CudaSharedMemoryRegister<
            Protocol::WithCallbackMethod_CudaSharedMemoryUnregister<Protocol::WithCallbackMethod_TraceSetting<
                Protocol::WithCallbackMethod_LogSettings<Protocol::Service>>>>>>>>;
/// What CallbackService is but for inference.
using Questions = Protocol::WithCallbackMethod_ServerLive<
    Protocol::WithCallbackMethod_ServerReady<Protocol::WithCallbackMethod_ModelReady<
        Protocol::WithCallbackMethod_ServerMetadata<Protocol::WithCallbackMethod_ModelMetadata<
            Protocol::WithCallbackMethod_ModelConfig<Protocol::WithCallbackMethod_ModelStatistics<
                Protocol::WithCallbackMethod_RepositoryIndex<Protocol::WithCallbackMethod_RepositoryModelLoad<
                    Protocol::WithCallbackMethod_RepositoryModelUnload<Extensions>>>>>>>>>>;
/// Requests for inference are taken as they travel: gRPC would decompress them without a bound.
using MixedService =
    Protocol::WithRawCallbackMethod_ModelInfer<Protocol::WithRawCallbackMethod_ModelStreamInfer<Questions>>;

class InferenceService : public ExtensionService<MixedService> {
public:
  InferenceService(InferenceCore& core, const InferenceServerOptions& options)
      : core_(core), shared_{core, options.max_message_bytes, {}, AnswerWatch(options.answers), {}} {}
  CallDrain& drain() { return shared_.drain; }
  uint64_t slow_calls() const { return shared_.answers.cancelled(); }

  ServerUnaryReactor* ServerLive(CallbackServerContext* context, const inference::ServerLiveRequest*,
                                 inference::ServerLiveResponse* response) override {
    response->set_live(true);
    return Answer(context, Status());
  }

  ServerUnaryReactor* ServerReady(CallbackServerContext* context, const inference::ServerReadyRequest*,
                                  inference::ServerReadyResponse* response) override {
    response->set_ready(core_.ready());
    return Answer(context, Status());
  }

  ServerUnaryReactor* ModelReady(CallbackServerContext* context, const inference::ModelReadyRequest* request,
                                 inference::ModelReadyResponse* response) override {
    response->set_ready(core_.Find(request->name(), request->version()).ok());
    return Answer(context, Status());
  }

  ServerUnaryReactor* ServerMetadata(CallbackServerContext* context, const inference::ServerMetadataRequest*,
                                     inference::ServerMetadataResponse* response) override {
    response->set_name(core_.options().server_name);
    response->set_version(core_.options().server_version);
    for (const std::string_view extension : InferenceCore::extensions())
      response->add_extensions(std::string(extension));
    return Answer(context, Status());
  }

  ServerUnaryReactor* ModelMetadata(CallbackServerContext* context, const inference::ModelMetadataRequest* request,
                                    inference::ModelMetadataResponse* response) override {
    const auto model = core_.Describe(request->name(), request->version());
    if (model.ok()) EncodeMetadata(*model, *response);
    return Answer(context, model.status());
  }

  ServerUnaryReactor* ModelConfig(CallbackServerContext* context, const inference::ModelConfigRequest* request,
                                  inference::ModelConfigResponse* response) override {
    const auto model = core_.Describe(request->name(), request->version());
    if (model.ok()) EncodeConfig(*model, *response->mutable_config());
    return Answer(context, model.status());
  }

  ServerUnaryReactor* ModelStatistics(CallbackServerContext* context, const inference::ModelStatisticsRequest* request,
                                      inference::ModelStatisticsResponse* response) override {
    const auto all = core_.Statistics(request->name(), request->version());
    if (!all.ok()) return Answer(context, all.status());
    for (const ServedStatistics& one : *all)
      EncodeStatistics(one, *response->add_model_stats());
    return Answer(context, Status());
  }

  ServerUnaryReactor* RepositoryIndex(CallbackServerContext* context, const inference::RepositoryIndexRequest*,
                                      inference::RepositoryIndexResponse* response) override {
    for (const IndexEntry& entry : core_.Index()) {
      auto& model = *response->add_models();
      model.set_name(entry.name);
      model.set_version(entry.version);
      model.set_state("READY");
    }
    return Answer(context, Status());
  }

  ServerUnaryReactor* RepositoryModelLoad(CallbackServerContext* context, const inference::RepositoryModelLoadRequest*,
                                          inference::RepositoryModelLoadResponse*) override {
    return Answer(context, InferenceCore::RefuseRepositoryChange());
  }

  ServerUnaryReactor* RepositoryModelUnload(CallbackServerContext* context,
                                            const inference::RepositoryModelUnloadRequest*,
                                            inference::RepositoryModelUnloadResponse*) override {
    return Answer(context, InferenceCore::RefuseRepositoryChange());
  }

  ServerUnaryReactor* ModelInfer(CallbackServerContext* context, const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override {
    // gRPC's object is not constant, and keeping it beside the message would take twice the memory.
    const MessageCall made{*context, const_cast<grpc::ByteBuffer&>(*request), *response};
    auto call = std::make_unique<InferCall>(made, shared_);
    call->Begin();
    return call.release(); // OnDone deletes it, and comes only after this return
  }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
  ModelStreamInfer(CallbackServerContext* context) override {
    return InferStream::Make(*context, shared_).get(); // owns itself until OnDone
  }

private:
  InferenceCore& core_;
  CallShared shared_;
};

Result<std::shared_ptr<grpc::ServerCredentials>> CredentialsFor(const std::optional<ServerCertificate>& tls) {
  if (!tls) return grpc::InsecureServerCredentials();
  AVOCET_ASSIGN_OR_RETURN(auto files, CertificateFiles::Open(*tls, "inference"));
  return MakeInferenceCredentials(std::move(files));
}

Status CheckOptions(const InferenceServerOptions& options) {
  const auto most = static_cast<uint64_t>(std::numeric_limits<int>::max());
  if (options.max_message_bytes >= 1 && options.max_message_bytes <= most) return {};
  return InvalidArgument("max_message_bytes is " + std::to_string(options.max_message_bytes) + ", must be 1 .. " +
                         std::to_string(most));
}

int WholeMillis(Duration duration) {
  return static_cast<int>(duration / std::chrono::milliseconds(1));
}

void SetLimits(grpc::ServerBuilder& builder, const InferenceServerOptions& options) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  // gRPC compares with that size only what it has decompressed already: 64 MiB may become 64 GiB. ParseMessage does it
  // within bounds; the other methods then find no message in a compressed one (UNIMPLEMENTED).
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  // What of a message has come, before it is complete and ours to count. Beyond it gRPC lets connections read less,
  // then cancels calls.
  builder.SetResourceQuota(grpc::ResourceQuota("inference").Resize(options.max_unfinished_bytes));
  builder.SetMaxSendMessageSize(std::numeric_limits<int>::max()); // a model's outputs are what they are
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, WholeMillis(options.handshake_deadline));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, WholeMillis(options.max_idle));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepAliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinClientPingMs);
}

} // namespace

class InferenceServer::Impl {
public:
  Impl(const InferenceServerOptions& options, std::shared_ptr<InferenceCore> core)
      : options_(options), core_(std::move(core)), service_(*core_, options), health_(*core_, service_.drain()) {}

  Status Start() {
    AVOCET_RETURN_IF_ERROR(CheckOptions(options_));
    // An unencrypted port beyond this machine must be asked for: models and inputs would travel readable.
    if (!options_.plaintext && !options_.tls)
      AVOCET_RETURN_IF_ERROR(RequireLoopback(options_.grpc_address, "inference"));
    AVOCET_RETURN_IF_ERROR(ParseAddress(options_.grpc_address).status());

    AVOCET_ASSIGN_OR_RETURN(const auto credentials, CredentialsFor(options_.tls));
    grpc::ServerBuilder builder;
    // The port is opened here, not by gRPC, which would stop accepting for good once descriptors run out.
    auto port = GrpcPort::Open(options_.grpc_address, {.name = "inference", .limits = options_.connections}, builder,
                               credentials);
    if (!port.ok()) return port.status();

    builder.RegisterService(&service_);
    builder.RegisterService(&health_);
    SetLimits(builder, options_);
    server_ = builder.BuildAndStart();
    if (!server_) return Unavailable("cannot serve on '" + options_.grpc_address + "': gRPC did not start");

    port_ = std::move(*port);
    // Only now: what the port accepts is handed to the server, which must have started.
    port_->Serve();
    return {};
  }

  void Stop() {
    std::call_once(stopped_, [this] {
      if (port_) port_->Stop();
      if (!server_) return;
      // gRPC would wait for clients to hang up, and streams would go on: as soon as nothing is in hand, nobody waits.
      const bool is_done = service_.drain().Drain(options_.drain_deadline);
      server_->Shutdown(std::chrono::system_clock::now() + (is_done ? kLastWord : Duration::zero()));
      server_->Wait();
    });
  }

  const std::string& address() const { return port_->address(); }
  AcceptorCounters connections() const { return port_->counters(); }
  uint64_t slow_calls() const { return service_.slow_calls(); }

private:
  const InferenceServerOptions options_;
  const std::shared_ptr<InferenceCore> core_;
  InferenceService service_;
  HealthService health_;
  std::unique_ptr<grpc::Server> server_; // after the services that it calls
  std::unique_ptr<GrpcPort> port_;       // after the server that it feeds
  std::once_flag stopped_;
};

Result<std::unique_ptr<InferenceServer>> InferenceServer::Start(const InferenceServerOptions& options,
                                                                std::shared_ptr<InferenceCore> core) {
  auto impl = std::make_unique<Impl>(options, std::move(core));
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
AcceptorCounters InferenceServer::connections() const {
  return impl_->connections();
}
uint64_t InferenceServer::slow_calls() const {
  return impl_->slow_calls();
}
void InferenceServer::Stop() {
  impl_->Stop();
}

} // namespace avocet

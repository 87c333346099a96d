#include <array>
#include <limits>
#include <list>
#include <mutex>
#include <thread>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <pthread.h>

#include "cli/load/load_tensors.h"
#include "cli/load/load_transport.h"
#include "inference/grpc_service.grpc.pb.h"
#include "messages/files.h"

namespace avocet {
namespace {

using Clock = std::chrono::steady_clock;
using google::protobuf::internal::WireFormatLite;

constexpr size_t kDefaultChannels = 2;
constexpr size_t kMaxCaBytes = size_t{1} << 20;
constexpr auto kEmulatedParameter = "emulated";
constexpr auto kResponseTimeParameter = "response_time_ns";

const std::string& InferMethod() {
  static const std::string kMethod = "/inference.GRPCInferenceService/ModelInfer";
  return kMethod;
}

StatusCode CodeOf(grpc::StatusCode code) {
  // Several gRPC codes become one: a person would react to them alike.
  switch (code) {
  case grpc::StatusCode::INVALID_ARGUMENT:
  case grpc::StatusCode::OUT_OF_RANGE:
  case grpc::StatusCode::FAILED_PRECONDITION:
    return StatusCode::kInvalidArgument;
  case grpc::StatusCode::NOT_FOUND:
    return StatusCode::kNotFound;
  case grpc::StatusCode::ALREADY_EXISTS:
    return StatusCode::kAlreadyExists;
  case grpc::StatusCode::UNAVAILABLE:
    return StatusCode::kUnavailable;
  case grpc::StatusCode::DEADLINE_EXCEEDED:
    return StatusCode::kDeadlineExceeded;
  case grpc::StatusCode::CANCELLED:
    return StatusCode::kCancelled;
  case grpc::StatusCode::PERMISSION_DENIED:
  case grpc::StatusCode::UNAUTHENTICATED:
    return StatusCode::kDenied;
  case grpc::StatusCode::UNIMPLEMENTED:
    return StatusCode::kUnsupported;
  case grpc::StatusCode::RESOURCE_EXHAUSTED:
    return StatusCode::kResourceExhausted;
  // A code that gRPC adds later counts as a failure of the server.
  default:
    return StatusCode::kInternal;
  }
}

Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return {};
  return {CodeOf(status.error_code()), status.error_message().empty() ? "no reason given" : status.error_message()};
}

void SetDeadline(grpc::ClientContext& context, Duration deadline) {
  context.set_deadline(std::chrono::system_clock::now() + deadline);
}

// ---- requests ----

/// The bytes of a request but for its id. Protobuf takes fields in any order, so the id can follow.
std::string Encode(const LoadPayload& payload) {
  inference::ModelInferRequest request;
  request.set_model_name(payload.app.str());
  for (const LoadPayload::Input& input : payload.inputs) {
    auto* tensor = request.add_inputs();
    tensor->set_name(input.spec.name);
    tensor->set_datatype(std::string(ToString(input.spec.type)));
    tensor->mutable_shape()->Assign(input.spec.shape.begin(), input.spec.shape.end());
    request.add_raw_input_contents(input.bytes);
  }
  return request.SerializeAsString();
}

/// Shares `body` with all other requests; `body` outlives them.
grpc::ByteBuffer WithId(const std::string& body, uint64_t id) {
  const std::string text = std::to_string(id); // at most 20 characters: the length is one byte
  std::string field;
  field += static_cast<char>(
      WireFormatLite::MakeTag(inference::ModelInferRequest::kIdFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  field += static_cast<char>(text.size());
  field += text;
  const std::array slices{grpc::Slice(body.data(), body.size(), grpc::Slice::STATIC_SLICE), grpc::Slice(field)};
  return {slices.data(), slices.size()};
}

// ---- answers ----

/// An answer without its tensors, which are skipped, not copied.
Result<inference::ModelInferResponse> DecodeHead(grpc::ByteBuffer& bytes) {
  grpc::ProtoBufferReader reader(&bytes);
  google::protobuf::io::CodedInputStream in(&reader);
  std::string head;

  // A block, because the streams write to `head` for the last time when they are destroyed.
  {
    google::protobuf::io::StringOutputStream sink(&head);
    google::protobuf::io::CodedOutputStream out(&sink);
    bool is_good = true;
    for (uint32_t tag = in.ReadTag(); tag != 0; tag = is_good ? in.ReadTag() : 0) {
      // Tensors can be megabytes; skipping them keeps the client's own work out of the latencies.
      const int field = WireFormatLite::GetTagFieldNumber(tag);
      is_good = field == inference::ModelInferResponse::kIdFieldNumber ||
                        field == inference::ModelInferResponse::kParametersFieldNumber
                    ? WireFormatLite::SkipField(&in, tag, &out) // this overload copies
                    : WireFormatLite::SkipField(&in, tag);
    }
    if (!is_good || !in.ConsumedEntireMessage()) return Corruption("the answer is no ModelInferResponse");
  }

  inference::ModelInferResponse response;
  if (!response.ParseFromString(head)) return Corruption("the answer is no ModelInferResponse");
  return response;
}

bool IsEmulated(const inference::ModelInferResponse& response) {
  const auto found = response.parameters().find(kEmulatedParameter);
  return found != response.parameters().end() && (found->second.bool_param() || found->second.string_param() == "true");
}

std::optional<Duration> ServerResponse(const inference::ModelInferResponse& response) {
  const auto found = response.parameters().find(kResponseTimeParameter);
  if (found == response.parameters().end()) return std::nullopt;
  return Duration(found->second.int64_param());
}

/// One request in flight; its address is its tag in the completion queue.
struct Call {
  LoadCall* load = nullptr;
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  std::list<Call>::iterator place;
};

LoadAnswer AnswerOf(Call& call) {
  if (!call.status.ok()) return {ToStatus(call.status), false, std::nullopt};
  const auto head = DecodeHead(call.response);
  if (!head.ok()) return {head.status(), false, std::nullopt};
  if (head->id() != std::to_string(call.load->id)) return {WrongId(call.load->id, head->id()), false, std::nullopt};
  return {{}, IsEmulated(*head), ServerResponse(*head)};
}

// ---- the transport ----

/// A completion queue of its own, not gRPC's callbacks: those end the channel on one of their own
/// threads when the last answer comes late, and gRPC 1.51 then frees its shared queue twice.
class GrpcTransport final : public LoadTransport {
public:
  GrpcTransport(Duration request_deadline, std::vector<std::shared_ptr<grpc::Channel>> channels)
      : request_deadline_(request_deadline), stub_(channels.front()) {
    for (auto& channel : channels)
      channels_.emplace_back(std::move(channel));
  }
  GrpcTransport(const GrpcTransport&) = delete;
  GrpcTransport& operator=(const GrpcTransport&) = delete;

  ~GrpcTransport() override {
    {
      const std::lock_guard lock(mutex_);
      for (Call& call : calls_)
        call.context.TryCancel();
    }
    queue_.Shutdown(); // what is in flight is still delivered
    if (collector_.joinable()) collector_.join();
  }

  Result<std::vector<TensorSpec>> InputsOf(const AppId& app) override {
    grpc::ClientContext context;
    SetDeadline(context, request_deadline_);
    inference::ModelMetadataRequest question;
    question.set_name(app.str());
    inference::ModelMetadataResponse metadata;
    AVOCET_RETURN_IF_ERROR(ToStatus(stub_.ModelMetadata(&context, question, &metadata)));

    // Without knowing a data type's size, no tensor can be built for it.
    std::vector<TensorSpec> specs;
    for (const auto& input : metadata.inputs()) {
      const auto type = ParseDataType(input.datatype());
      if (!type) return UnknownDataType(input.name(), input.datatype());
      specs.push_back({input.name(), *type, {input.shape().begin(), input.shape().end()}});
    }
    return specs;
  }

  void Start(std::vector<LoadPayload> payloads, OnAnswer on_answer) override {
    for (const LoadPayload& payload : payloads)
      bodies_.push_back(Encode(payload));
    on_answer_ = std::move(on_answer);
    collector_ = std::thread([this] { Collect(); });
    pthread_setname_np(collector_.native_handle(), "load-answers");
  }

  void Send(LoadCall& load) override {
    Call& call = Add(load);
    SetDeadline(call.context, request_deadline_);
    const grpc::ByteBuffer request = WithId(bodies_[load.target], load.id);
    call.reader =
        channels_[load.id % channels_.size()].PrepareUnaryCall(&call.context, InferMethod(), request, &queue_);
    load.sent = Clock::now();
    call.reader->StartCall();
    call.reader->Finish(&call.response, &call.status, &call);
  }

private:
  Call& Add(LoadCall& load) {
    std::list<Call> one(1);
    one.front().load = &load;
    one.front().place = one.begin();
    const std::lock_guard lock(mutex_);
    calls_.splice(calls_.begin(), one);
    return calls_.front();
  }

  /// Until the queue is shut down and empty.
  void Collect() {
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);)
      End(*static_cast<Call*>(tag));
  }

  void End(Call& call) {
    std::list<Call> ended; // freed after the lock
    {
      const std::lock_guard lock(mutex_);
      ended.splice(ended.begin(), calls_, call.place);
    }
    on_answer_(*call.load, AnswerOf(call));
  }

  const Duration request_deadline_;
  inference::GRPCInferenceService::Stub stub_;
  std::vector<grpc::GenericStub> channels_;
  std::vector<std::string> bodies_; ///< of each target's requests
  OnAnswer on_answer_;
  grpc::CompletionQueue queue_;
  std::mutex mutex_;
  std::list<Call> calls_;
  std::thread collector_;
};

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxLoadTensorBytes));
  // gRPC would send even loopback traffic to the proxy of the environment.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Channels with equal arguments would share one connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

Result<std::shared_ptr<grpc::ChannelCredentials>> CredentialsFor(const LoadClientOptions& options) {
  if (options.ca.empty()) return grpc::InsecureChannelCredentials();
  AVOCET_ASSIGN_OR_RETURN(auto pem, ReadWholeFile(options.ca, kMaxCaBytes));
  return grpc::SslCredentials({.pem_root_certs = std::move(pem), .pem_private_key = "", .pem_cert_chain = ""});
}

} // namespace

Result<std::unique_ptr<LoadTransport>> ConnectGrpc(const LoadClientOptions& options) {
  AVOCET_ASSIGN_OR_RETURN(const auto credentials, CredentialsFor(options));
  const auto until = std::chrono::system_clock::now() + options.connect_deadline;
  const size_t count = options.connections > 0 ? options.connections : kDefaultChannels;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (size_t i = 0; i < count; ++i) {
    channels.push_back(grpc::CreateCustomChannel(options.address, credentials, Arguments()));
    if (!channels.back()->WaitForConnected(until)) return NoServerAnswers(options);
  }
  return std::unique_ptr<LoadTransport>(std::make_unique<GrpcTransport>(options.request_deadline, std::move(channels)));
}

} // namespace avocet

// The inference endpoint over a real loopback socket, with gRPC's own client.
#include "node_agent/inference_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <future>
#include <thread>

#include "node_agent/inference_message.h"
#include "tests/node_agent/inference_server_fixture.h"
#include "tests/support/process.h"
#include "tests/support/raw_connection.h"

namespace avocet::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

// The six methods

TEST_F(InferenceServerTest, IsLive) {
  grpc::ClientContext context;
  inference::ServerLiveResponse response;
  ASSERT_TRUE(stub_->ServerLive(&context, {}, &response).ok());
  EXPECT_TRUE(response.live());
}

TEST_F(InferenceServerTest, IsReadyWhenToldSo) {
  for (const bool ready : {false, true, false}) {
    core_->SetReady(ready);
    grpc::ClientContext context;
    inference::ServerReadyResponse response;
    ASSERT_TRUE(stub_->ServerReady(&context, {}, &response).ok());
    EXPECT_EQ(response.ready(), ready);
  }
}

/// A request of the application "large" that compresses well.
ModelInferRequest LargeRequest(size_t bytes) {
  ModelInferRequest request;
  request.set_model_name("large");
  auto& input = *request.add_inputs();
  input.set_name("in");
  input.set_datatype("UINT8");
  input.add_shape(static_cast<int64_t>(bytes));
  request.add_raw_input_contents(std::string(bytes, 'x'));
  return request;
}

/// The answer as it travels, of a client that does not decompress it.
grpc::Status InferRaw(const std::string& address, const ModelInferRequest& request,
                      grpc_compression_algorithm algorithm, grpc::ByteBuffer& answer) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  grpc::ByteBuffer bytes;
  EXPECT_TRUE(SerializeMessage(request, bytes).ok());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  context.set_compression_algorithm(algorithm);
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/inference.GRPCInferenceService/ModelInfer", {}, &bytes, &answer,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  return done.get_future().get(); // ends: the call has a deadline
}

TEST_F(InferenceServerTest, AnswersAreCompressedAsTheRequestIs) {
  ServeLarge(DataType::kUint8);
  const ModelInferRequest request = LargeRequest(1 << 20);
  for (const auto& [algorithm, coding] : {std::pair{GRPC_COMPRESS_NONE, HttpCoding::kIdentity},
                                          {GRPC_COMPRESS_GZIP, HttpCoding::kGzip},
                                          {GRPC_COMPRESS_DEFLATE, HttpCoding::kDeflate}}) {
    grpc::ByteBuffer answer;
    const grpc::Status status = InferRaw(server_->address(), request, algorithm, answer);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(CodingOf(answer), coding);
    EXPECT_EQ(answer.Length() < 10'000, coding != HttpCoding::kIdentity);
    ByteBudget budget(16 << 20);
    ByteBudget::Lease lease(budget);
    ModelInferResponse response;
    ASSERT_TRUE(ParseMessage(answer, 4 << 20, lease, response).ok());
    EXPECT_TRUE(response.raw_output_contents(0) == request.raw_input_contents(0));
  }
}

TEST_F(InferenceServerTest, CompressedMessagesAreRefusedBeforeTheyGrow) {
  InferenceServerOptions options;
  options.max_message_bytes = 1 << 20;
  Start(options);
  ServeLarge(DataType::kUint8);
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    ModelInferResponse response;
    grpc::ClientContext context;
    LimitTo(context, kPatience);
    context.set_compression_algorithm(algorithm);
    const grpc::Status status = stub_->ModelInfer(&context, LargeRequest(1 << 20), &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr("longer than 1048576 bytes when it is decompressed"));
  }
  EXPECT_TRUE(device_->Runs().empty());
  EXPECT_TRUE(Infer(GoodRequest()).ok());
  server_->Stop(); // all calls are gone
  EXPECT_EQ(core_->budget().used(), 0u);
}

// They are tiny: only what would be a bomb compresses to less than it is.
TEST_F(InferenceServerTest, CompressedQuestionsAreNotServed) {
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  inference::ModelMetadataRequest request;
  request.set_name(std::string(1 << 20, 'x'));
  inference::ModelMetadataResponse response;
  EXPECT_EQ(stub_->ModelMetadata(&context, request, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  grpc::ClientContext small;
  small.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  request.set_name("app-a");
  EXPECT_TRUE(stub_->ModelMetadata(&small, request, &response).ok());
}

TEST_F(InferenceServerTest, ModelsAreReadyWhileTheyAreRouted) {
  const auto is_ready = [&](const std::string& name, const std::string& version) {
    grpc::ClientContext context;
    inference::ModelReadyRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelReadyResponse response;
    EXPECT_TRUE(stub_->ModelReady(&context, request, &response).ok());
    return response.ready();
  };
  EXPECT_TRUE(is_ready("app-a", ""));
  EXPECT_TRUE(is_ready("app-a", "1"));
  EXPECT_FALSE(is_ready("app-a", "2"));
  EXPECT_FALSE(is_ready("nobody", ""));
  EXPECT_FALSE(is_ready("no name!", ""));
  router_->Withdraw(kAppA);
  EXPECT_FALSE(is_ready("app-a", ""));
}

TEST_F(InferenceServerTest, ServerMetadataListsTheExtensionsInTritonsSpelling) {
  grpc::ClientContext context;
  inference::ServerMetadataResponse response;
  ASSERT_TRUE(stub_->ServerMetadata(&context, {}, &response).ok());
  EXPECT_EQ(response.name(), "avocet");
  EXPECT_EQ(response.version(), "1.2.3");
  EXPECT_THAT(response.extensions(), ElementsAre("binary_tensor_data", "classification", "model_configuration",
                                                 "model_repository", "parameters", "schedule_policy", "statistics"));
}

TEST_F(InferenceServerTest, ModelMetadataDescribesTheApplication) {
  grpc::ClientContext context;
  inference::ModelMetadataRequest request;
  request.set_name("app-a");
  inference::ModelMetadataResponse response;
  ASSERT_TRUE(stub_->ModelMetadata(&context, request, &response).ok());
  EXPECT_EQ(response.name(), "app-a");
  EXPECT_THAT(response.versions(), ElementsAre("1"));
  EXPECT_EQ(response.platform(), "avocet_tflite");
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_EQ(response.inputs(0).name(), "in");
  EXPECT_EQ(response.inputs(0).datatype(), "FP32");
  EXPECT_THAT(response.inputs(0).shape(), ElementsAre(2));
  EXPECT_EQ(response.outputs(0).name(), "out");
  EXPECT_EQ(response.properties().at("model"), "a:1");
}

TEST_F(InferenceServerTest, ModelMetadataOfUnknownApplicationsOrVersionsIsNotFound) {
  for (const auto& [name, version] : {std::pair{"nobody", ""}, {"app-a", "2"}, {"", ""}}) {
    grpc::ClientContext context;
    inference::ModelMetadataRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelMetadataResponse response;
    EXPECT_EQ(stub_->ModelMetadata(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND) << name;
  }
}

TEST_F(InferenceServerTest, InfersFromRawContents) {
  ModelInferRequest request = GoodRequest();
  request.set_id("id-7");
  request.set_model_version("1");
  ModelInferResponse response;
  const grpc::Status status = Infer(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.model_name(), "app-a");
  EXPECT_EQ(response.model_version(), "1");
  EXPECT_EQ(response.id(), "id-7");
  EXPECT_TRUE(response.parameters().empty());
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).name(), "out");
  EXPECT_EQ(response.outputs(0).datatype(), "FP32");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(2));
  EXPECT_TRUE(response.outputs(0).parameters().empty());
  EXPECT_EQ(response.raw_output_contents(0), request.raw_input_contents(0));
}

TEST_F(InferenceServerTest, InfersFromTypedContentsTheSame) {
  ModelInferRequest request = GoodRequest();
  request.clear_raw_input_contents();
  request.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  request.mutable_inputs(0)->mutable_contents()->add_fp32_contents(2);
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  EXPECT_EQ(response.raw_output_contents(0), GoodRequest().raw_input_contents(0));
}

TEST_F(InferenceServerTest, ResponsesOfEmulatedDevicesSaySo) {
  ModelInferResponse response;
  ASSERT_TRUE(Infer(GoodRequest(kAppB), &response).ok());
  EXPECT_TRUE(response.parameters().at("emulated").bool_param());
}

TEST_F(InferenceServerTest, SendsTheOutputsThatWereAskedFor) {
  ModelInferRequest request = GoodRequest();
  request.add_outputs()->set_name("out");
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  EXPECT_EQ(response.outputs_size(), 1);
  request.mutable_outputs(0)->set_name("nothing");
  const grpc::Status status = Infer(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("'nothing' is unknown; the model has 'out'"));
}

// tritonclient: InferRequestedOutput("out", class_count=1).
TEST_F(InferenceServerTest, SendsClassesInPlaceOfATensor) {
  ModelInferRequest request = GoodRequest();
  auto& output = *request.add_outputs();
  output.set_name("out");
  (*output.mutable_parameters())["classification"].set_int64_param(1);
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).datatype(), "BYTES");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(1));
  EXPECT_EQ(response.raw_output_contents(0), std::string("\x0a\0\0\0"
                                                         "2.000000:1",
                                                         14));
}

TEST_F(InferenceServerTest, ResponseTimeCountsFromTheCompleteRequest) {
  device_->control->Hold();
  Call call(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  device_->control->LetAllGo();
  ASSERT_TRUE(call.Await().ok());
  const auto window = device_->scheduler->CloseWindow();
  EXPECT_EQ(window.apps[0].completions, 1u);
  EXPECT_GT(window.apps[0].response.sum, 0.0);
  EXPECT_LE(window.apps[0].response.sum, ToSeconds(window.length));
}

// Errors

struct InferError {
  const char* name;
  std::function<void(ModelInferRequest&)> spoil;
  grpc::StatusCode code;
  const char* text;
};
void PrintTo(const InferError& error, std::ostream* out) {
  *out << error.name;
}

class InferenceServerErrors : public InferenceServerTest, public testing::WithParamInterface<InferError> {};

TEST_P(InferenceServerErrors, AreNamed) {
  ModelInferRequest request = GoodRequest();
  GetParam().spoil(request);
  const grpc::Status status = Infer(request);
  EXPECT_EQ(status.error_code(), GetParam().code) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr(GetParam().text));
  EXPECT_TRUE(device_->Runs().empty());
  EXPECT_TRUE(Infer(GoodRequest()).ok());
}

INSTANTIATE_TEST_SUITE_P(
    Cases, InferenceServerErrors,
    testing::Values(
        InferError{"unknown application", [](auto& r) { r.set_model_name("nobody"); }, grpc::StatusCode::NOT_FOUND,
                   "application 'nobody' is not served here"},
        InferError{"no application", [](auto& r) { r.set_model_name(""); }, grpc::StatusCode::NOT_FOUND, "''"},
        InferError{"endless name", [](auto& r) { r.set_model_name(std::string(100'000, 'x')); },
                   grpc::StatusCode::NOT_FOUND, "is not the name of an application"},
        InferError{"other version", [](auto& r) { r.set_model_version("9"); }, grpc::StatusCode::NOT_FOUND,
                   "application 'app-a' runs version 1 of its model, not 9"},
        InferError{"missing input",
                   [](auto& r) {
                     r.clear_inputs();
                     r.clear_raw_input_contents();
                   },
                   grpc::StatusCode::INVALID_ARGUMENT, "in"},
        InferError{"wrong input name", [](auto& r) { r.mutable_inputs(0)->set_name("other"); },
                   grpc::StatusCode::INVALID_ARGUMENT, "other"},
        InferError{"wrong shape",
                   [](auto& r) {
                     r.mutable_inputs(0)->set_shape(0, 3);
                     r.set_raw_input_contents(0, std::string(12, '\0'));
                   },
                   grpc::StatusCode::INVALID_ARGUMENT, "FP32[3]"},
        InferError{"wrong size", [](auto& r) { r.set_raw_input_contents(0, "x"); }, grpc::StatusCode::INVALID_ARGUMENT,
                   "has 1 bytes"},
        InferError{"raw and typed", [](auto& r) { r.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); },
                   grpc::StatusCode::INVALID_ARGUMENT, "beside raw_input_contents"},
        InferError{"endless datatype", [](auto& r) { r.mutable_inputs(0)->set_datatype(std::string(100'000, 'x')); },
                   grpc::StatusCode::INVALID_ARGUMENT, "unknown datatype"},
        InferError{"bad timeout", [](auto& r) { (*r.mutable_parameters())["timeout"].set_string_param("soon"); },
                   grpc::StatusCode::INVALID_ARGUMENT, "'timeout' must be an integer"},
        InferError{"shared memory",
                   [](auto& r) { (*r.mutable_inputs(0)->mutable_parameters())["shared_memory_region"]; },
                   grpc::StatusCode::UNIMPLEMENTED, "shared memory"}));

TEST_F(InferenceServerTest, EngineFailuresAreInternal) {
  FakeBehaviour failing;
  failing.run = Internal("broken");
  device_->control->Behave(kModelA, failing);
  const grpc::Status status = Infer(GoodRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), HasSubstr("broken"));
}

TEST_F(InferenceServerTest, AFullQueueIsUnavailable) {
  SchedulerOptions scheduler;
  scheduler.max_queued = 1;
  Start({}, scheduler);
  device_->control->Hold();
  Call running(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  ASSERT_TRUE(device_->Submit(kAppB, "queued").ok());
  const grpc::Status status = Infer(GoodRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("1 of 1"));
  device_->control->LetAllGo();
  EXPECT_TRUE(running.Await().ok());
}

TEST_F(InferenceServerTest, ATimeoutInTheQueueIsUnavailableAsWithTriton) {
  device_->control->Hold();
  Call running(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  ModelInferRequest request = GoodRequest();
  (*request.mutable_parameters())["timeout"].set_int64_param(100'000);
  const MonotonicTime sent = MonotonicTime::clock::now();
  Call late(*stub_, request);
  while (MonotonicTime::clock::now() - sent < milliseconds(300))
    std::this_thread::yield();
  device_->control->LetAllGo();
  const grpc::Status status = late.Await();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("Request timeout expired"));
  EXPECT_TRUE(running.Await().ok());
}

TEST_F(InferenceServerTest, ACallsOwnDeadlineIsDeadlineExceededAndFreesThePlace) {
  SchedulerOptions scheduler;
  scheduler.max_queued = 1;
  Start({}, scheduler);
  device_->control->Hold();
  Call running(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  grpc::ClientContext context;
  LimitTo(context, milliseconds(300));
  ModelInferResponse response;
  EXPECT_EQ(stub_->ModelInfer(&context, GoodRequest(), &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  const MonotonicTime give_up = MonotonicTime::clock::now() + kPatience;
  while (!device_->Submit(kAppB, "next").ok() && MonotonicTime::clock::now() < give_up)
    std::this_thread::yield();
  device_->control->LetAllGo();
  EXPECT_EQ(device_->answers.AwaitTags(1), std::vector<std::string>{"next"});
  EXPECT_EQ(device_->Runs().size(), 2u);
}

TEST_F(InferenceServerTest, AClientThatCancelsWhileQueuedFreesItsPlace) {
  SchedulerOptions scheduler;
  scheduler.max_queued = 1;
  Start({}, scheduler);
  device_->control->Hold();
  Call running(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  Call queued(*stub_, GoodRequest());
  ASSERT_TRUE(AwaitArrivals(2));
  const MonotonicTime give_up = MonotonicTime::clock::now() + kPatience;
  queued.context.TryCancel();
  EXPECT_EQ(queued.Await().error_code(), grpc::StatusCode::CANCELLED);
  while (!device_->Submit(kAppB, "next").ok() && MonotonicTime::clock::now() < give_up)
    std::this_thread::yield();
  device_->control->LetAllGo();
  EXPECT_TRUE(running.Await().ok());
  EXPECT_EQ(device_->answers.AwaitTags(1), std::vector<std::string>{"next"});
}

TEST_F(InferenceServerTest, AClientThatCancelsDuringTheRunHarmsNobody) {
  device_->control->Hold();
  Call call(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  call.context.TryCancel();
  EXPECT_EQ(call.Await().error_code(), grpc::StatusCode::CANCELLED);
  device_->control->LetAllGo();
  EXPECT_TRUE(Infer(GoodRequest()).ok());
}

TEST_F(InferenceServerTest, ClientsThatVanishHarmNobody) {
  device_->control->Hold();
  {
    auto stub = NewStub();
    Call call(*stub, GoodRequest());
    ASSERT_TRUE(device_->control->AwaitHeld(1));
    call.context.TryCancel();
    call.Await();
  } // the connection goes while the run goes on
  device_->control->LetAllGo();
  EXPECT_TRUE(Infer(GoodRequest()).ok());
}

TEST_F(InferenceServerTest, MessagesUpToTheBoundAndNoLonger) {
  InferenceServerOptions options;
  options.max_message_bytes = 4096;
  Start(options);
  ModelInferRequest request = GoodRequest();
  (*request.mutable_parameters())["padding"].set_string_param("");
  auto& padding = *(*request.mutable_parameters())["padding"].mutable_string_param();
  padding.resize(4000);
  padding.resize(4000 + 4096 - request.ByteSizeLong(), 'x');
  ASSERT_EQ(request.ByteSizeLong(), 4096u);
  EXPECT_TRUE(Infer(request).ok());
  padding += 'x';
  EXPECT_EQ(Infer(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(InferenceServerTest, LargeTensorsTravelWhole) {
  ServeLarge(DataType::kUint8);
  constexpr int64_t kBytes = 8 << 20;
  ModelInferRequest request = GoodRequest(AppId("large"));
  request.mutable_inputs(0)->set_datatype("UINT8");
  request.mutable_inputs(0)->set_shape(0, kBytes);
  std::string& raw = *request.mutable_raw_input_contents(0);
  raw.resize(kBytes);
  for (size_t i = 0; i < raw.size(); ++i)
    raw[i] = static_cast<char>(i * 31);
  ModelInferResponse response;
  ASSERT_TRUE(Infer(request, &response).ok());
  EXPECT_TRUE(response.raw_output_contents(0) == raw);
}

TEST_F(InferenceServerTest, ManyClientsAtOnceAllGetTheirOwnAnswers) {
  constexpr int kClients = 8;
  constexpr int kCallsEach = 100;
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([this, c, &good] {
      const auto stub = NewStub();
      for (int i = 0; i < kCallsEach; ++i) {
        ModelInferRequest request = GoodRequest(i % 2 == 0 ? kAppA : kAppB);
        request.set_id(std::to_string(c) + "/" + std::to_string(i));
        const float values[2] = {static_cast<float>(c), static_cast<float>(i)};
        request.set_raw_input_contents(0, std::string(reinterpret_cast<const char*>(values), sizeof(values)));
        grpc::ClientContext context;
        LimitTo(context, kPatience);
        ModelInferResponse response;
        const grpc::Status status = stub->ModelInfer(&context, request, &response);
        ASSERT_TRUE(status.ok()) << status.error_code() << " " << status.error_message();
        if (response.id() == request.id() && response.raw_output_contents(0) == request.raw_input_contents(0)) ++good;
      }
    });
  }
  for (std::thread& client : clients)
    client.join();
  EXPECT_EQ(good, kClients * kCallsEach);
}

TEST_F(InferenceServerTest, CancellationUnderLoadLosesNoCall) {
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 300; ++i) {
    calls.push_back(std::make_unique<Call>(*stub_, GoodRequest(i % 2 == 0 ? kAppA : kAppB)));
    if (i % 3 == 0) calls.back()->context.TryCancel();
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    const auto code = calls[i]->Await().error_code();
    const bool may_be_cancelled = i % 3 == 0;
    EXPECT_TRUE(code == grpc::StatusCode::OK || code == grpc::StatusCode::UNAVAILABLE ||
                (may_be_cancelled && code == grpc::StatusCode::CANCELLED))
        << i << ": " << code;
  }
  server_->Stop();
  ASSERT_TRUE(device_->scheduler->Detach(kAppA).ok());
  const auto window = device_->scheduler->CloseWindow();
  for (const AppWindow& app : window.apps)
    EXPECT_EQ(app.arrivals, app.completions + app.failures);
}

// Start and stop

TEST_F(InferenceServerTest, StopLetsCallsInFlightFinish) {
  device_->control->Hold();
  Call call(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  std::thread stopping([this] { server_->Stop(); });
  const MonotonicTime give_up = MonotonicTime::clock::now() + kPatience;
  while (TakesNewCalls() && MonotonicTime::clock::now() < give_up)
    std::this_thread::yield();
  device_->control->LetAllGo();
  EXPECT_TRUE(call.Await().ok());
  stopping.join();
  EXPECT_FALSE(Infer(GoodRequest()).ok());
}

TEST_F(InferenceServerTest, StopCancelsWhatIsLeftAtItsDeadline) {
  InferenceServerOptions options;
  options.drain_deadline = milliseconds(50);
  Start(options);
  device_->control->Hold();
  Call running(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  std::vector<std::unique_ptr<Call>> queued;
  for (int i = 0; i < 5; ++i)
    queued.push_back(std::make_unique<Call>(*stub_, GoodRequest()));
  ASSERT_TRUE(AwaitArrivals(6));
  std::thread stopping([this] { server_->Stop(); });
  for (const auto& call : queued)
    EXPECT_FALSE(call->Await().ok()); // although the run is still held
  device_->control->LetAllGo();
  stopping.join();
  EXPECT_FALSE(running.Await().ok());
}

TEST_F(InferenceServerTest, AConnectionThatSaysNothingIsClosed) {
  Start({.handshake_deadline = milliseconds(200)});
  const RawConnection silent(server_->address());
  const RawConnection half(server_->address());
  ASSERT_TRUE(half.Send(Http2Greeting().substr(0, 10)));
  EXPECT_TRUE(silent.IsClosedByPeer());
  EXPECT_TRUE(half.IsClosedByPeer());
  EXPECT_TRUE(Eventually([&] { return server_->connections().connections == 0; }, kPatience));
  EXPECT_TRUE(TakesNewCalls());
}

TEST_F(InferenceServerTest, ConnectionsBeyondTheBoundsAreClosedAndPlacesComeFree) {
  Start({.connections = {.max_connections = 4, .max_per_address = 2}});
  {
    const auto flood = Flood(server_->address(), "127.0.0.2", 2);
    EXPECT_TRUE(RawConnection(server_->address(), "127.0.0.2").IsClosedByPeer());
    EXPECT_EQ(server_->connections().refused, 1u);
    EXPECT_TRUE(TakesNewCalls()) << "from another address";
  }
  EXPECT_TRUE(Eventually(
      [&] {
        const RawConnection again(server_->address(), "127.0.0.2");
        return again.Send(Http2Greeting()) && !again.Receive().empty();
      },
      kPatience));
}

TEST_F(InferenceServerTest, AConnectionWithoutACallIsClosedInTheEnd) {
  Start({.max_idle = milliseconds(100)});
  const RawConnection idle(server_->address());
  ASSERT_TRUE(idle.Send(Http2Greeting()));
  EXPECT_TRUE(idle.IsClosedByPeer());
}

TEST_F(InferenceServerTest, StopTwiceIsFine) {
  server_->Stop();
  server_->Stop();
}

TEST_F(InferenceServerTest, TheAddressHasTheRealPort) {
  EXPECT_THAT(server_->address(), testing::StartsWith("127.0.0.1:"));
  EXPECT_NE(server_->address(), "127.0.0.1:0");
}

TEST_F(InferenceServerTest, APortInUseIsUnavailable) {
  InferenceServerOptions options;
  options.grpc_address = server_->address();
  EXPECT_EQ(InferenceServer::Start(options, core_).status().code(), StatusCode::kUnavailable);
}

std::shared_ptr<InferenceCore> EmptyCore() {
  return std::make_shared<InferenceCore>(InferenceCoreOptions(), std::make_shared<Router>());
}

TEST(InferenceServer, RefusesAddressesBeyondLoopback) {
  for (const char* address : {"0.0.0.0:0", "10.0.0.1:0", "[::]:0", "example.org:0", "127.0.0.1.example.org:0", ":0"}) {
    InferenceServerOptions options;
    options.grpc_address = address;
    const auto server = InferenceServer::Start(options, EmptyCore());
    EXPECT_EQ(server.status().code(), StatusCode::kInvalidArgument) << address;
  }
}

TEST(InferenceServer, RefusesAMessageBoundThatGrpcCannotHold) {
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{1} << 31}) {
    InferenceServerOptions options;
    options.grpc_address = "127.0.0.1:0";
    options.max_message_bytes = bytes;
    EXPECT_EQ(InferenceServer::Start(options, EmptyCore()).status().code(), StatusCode::kInvalidArgument);
  }
}

} // namespace
} // namespace avocet::test

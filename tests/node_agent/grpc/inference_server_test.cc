// The inference endpoint over a real loopback socket, with gRPC's own client.
#include "node_agent/grpc/inference_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/node_agent/grpc/inference_server_fixture.h"

namespace avocet {
namespace {

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

} // namespace
} // namespace avocet

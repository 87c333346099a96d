// What clients are answered when something is wrong, late, too much or given up.
#include "node_agent/grpc/inference_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/node_agent/grpc/inference_server_fixture.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

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
                   "Request for unknown model: 'nobody' is not found"},
        InferError{"no application", [](auto& r) { r.set_model_name(""); }, grpc::StatusCode::NOT_FOUND, "''"},
        InferError{"endless name", [](auto& r) { r.set_model_name(std::string(100'000, 'x')); },
                   grpc::StatusCode::NOT_FOUND, "is not found"},
        InferError{"other version", [](auto& r) { r.set_model_version("9"); }, grpc::StatusCode::NOT_FOUND,
                   "'app-a' version 9 is not found; the application runs version 1"},
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

} // namespace
} // namespace avocet

// What the gRPC endpoint takes over from Triton: streams, configuration, statistics, repository.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node_agent/grpc/inference_server_fixture.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using InferenceExtensionsTest = InferenceServerTest;
using Stream = grpc::ClientReaderWriter<ModelInferRequest, inference::ModelStreamInferResponse>;

ModelInferRequest WithId(ModelInferRequest request, const std::string& id) {
  request.set_id(id);
  return request;
}

std::vector<std::string> ReadIds(Stream& stream) {
  std::vector<std::string> ids;
  inference::ModelStreamInferResponse response;
  while (stream.Read(&response))
    ids.push_back(response.infer_response().id() + (response.error_message().empty() ? "" : " failed"));
  return ids;
}

TEST_F(InferenceExtensionsTest, StreamsAnswerEveryRequestInOrder) {
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  const auto stream = stub_->ModelStreamInfer(&context);
  std::vector<std::string> sent;
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i)
      stream->Write(WithId(GoodRequest(i % 2 == 0 ? kAppA : kAppB), std::to_string(i)));
    stream->WritesDone();
  });
  const auto ids = ReadIds(*stream);
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  ASSERT_EQ(ids.size(), 200u);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(ids[static_cast<size_t>(i)], std::to_string(i));
}

TEST_F(InferenceExtensionsTest, StreamsTakeCompressedMessages) {
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const auto stream = stub_->ModelStreamInfer(&context);
  for (int i = 0; i < 10; ++i)
    stream->Write(WithId(GoodRequest(), std::string(1000, static_cast<char>('a' + i))));
  stream->WritesDone();
  const auto ids = ReadIds(*stream);
  EXPECT_TRUE(stream->Finish().ok());
  ASSERT_EQ(ids.size(), 10u);
  for (size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(ids[i], std::string(1000, static_cast<char>('a' + i)));
}

TEST_F(InferenceExtensionsTest, AFailedRequestDoesNotEndItsStream) {
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  const auto stream = stub_->ModelStreamInfer(&context);
  stream->Write(WithId(GoodRequest(), "1"));
  stream->Write(WithId(GoodRequest(AppId("nobody")), "2"));
  stream->Write(WithId(GoodRequest(), "3"));
  stream->WritesDone();
  EXPECT_THAT(ReadIds(*stream), ElementsAre("1", "2 failed", "3"));
  EXPECT_TRUE(stream->Finish().ok());
}

// Clients that stream look at it to know that a request has no further answer.
TEST_F(InferenceExtensionsTest, EveryStreamedAnswerSaysThatItIsTheFinalOne) {
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  const auto stream = stub_->ModelStreamInfer(&context);
  stream->Write(GoodRequest());
  stream->Write(GoodRequest(AppId("nobody")));
  stream->WritesDone();
  inference::ModelStreamInferResponse response;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_TRUE(response.infer_response().parameters().at("triton_final_response").bool_param());
  }
  EXPECT_TRUE(stream->Finish().ok());
  ModelInferResponse unary;
  ASSERT_TRUE(Infer(GoodRequest(), &unary).ok());
  EXPECT_TRUE(unary.parameters().empty());
}

TEST_F(InferenceExtensionsTest, AStreamReadsNoFurtherThanItMayHaveUnanswered) {
  SchedulerOptions scheduler;
  scheduler.max_queued = 256;
  Start({}, scheduler);
  device_->control->Hold();
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  const auto stream = stub_->ModelStreamInfer(&context);
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i)
      stream->Write(WithId(GoodRequest(), std::to_string(i)));
    stream->WritesDone();
  });
  ASSERT_TRUE(AwaitArrivals(32));
  EXPECT_EQ(arrivals_, 32u);
  device_->control->LetAllGo();
  EXPECT_EQ(ReadIds(*stream).size(), 100u);
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(InferenceExtensionsTest, ACancelledStreamFreesItsPlaces) {
  SchedulerOptions scheduler;
  scheduler.max_queued = 4;
  Start({}, scheduler);
  device_->control->Hold();
  Call running(*stub_, GoodRequest());
  ASSERT_TRUE(device_->control->AwaitHeld(1));
  grpc::ClientContext context;
  LimitTo(context, kPatience);
  const auto stream = stub_->ModelStreamInfer(&context);
  for (int i = 0; i < 4; ++i)
    stream->Write(GoodRequest());
  ASSERT_TRUE(AwaitArrivals(5));
  context.TryCancel();
  EXPECT_THAT(ReadIds(*stream), IsEmpty());
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  const MonotonicTime give_up = MonotonicTime::clock::now() + kPatience;
  while (!device_->Submit(kAppB, "next").ok() && MonotonicTime::clock::now() < give_up)
    std::this_thread::yield();
  device_->control->LetAllGo();
  EXPECT_TRUE(running.Await().ok());
  EXPECT_EQ(device_->answers.AwaitTags(1), std::vector<std::string>{"next"});
}

TEST_F(InferenceExtensionsTest, StreamsThatVanishUnderLoadHarmNobody) {
  for (int round = 0; round < 20; ++round) {
    grpc::ClientContext context;
    const auto stream = NewStub()->ModelStreamInfer(&context);
    for (int i = 0; i < 40; ++i)
      stream->Write(GoodRequest(i % 2 == 0 ? kAppA : kAppB));
    inference::ModelStreamInferResponse response;
    stream->Read(&response);
    context.TryCancel();
    stream->Finish();
  }
  EXPECT_TRUE(Infer(GoodRequest()).ok());
}

TEST_F(InferenceExtensionsTest, ModelConfigSaysThatNothingIsBatched) {
  grpc::ClientContext context;
  inference::ModelConfigRequest request;
  request.set_name("app-a");
  inference::ModelConfigResponse response;
  ASSERT_TRUE(stub_->ModelConfig(&context, request, &response).ok());
  const inference::ModelConfig& config = response.config();
  EXPECT_EQ(config.name(), "app-a");
  EXPECT_EQ(config.max_batch_size(), 0);
  ASSERT_EQ(config.input_size(), 1);
  EXPECT_EQ(config.input(0).name(), "in");
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_FP32);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(2));
  EXPECT_EQ(config.output(0).name(), "out");
}

TEST_F(InferenceExtensionsTest, StatisticsCountWhatWasAsked) {
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(Infer(GoodRequest()).ok());
  ModelInferRequest bad = GoodRequest();
  bad.set_raw_input_contents(0, "x");
  EXPECT_FALSE(Infer(bad).ok());
  EXPECT_FALSE(Infer(GoodRequest(AppId("nobody"))).ok());
  grpc::ClientContext context;
  inference::ModelStatisticsRequest request;
  request.set_name("app-a");
  inference::ModelStatisticsResponse response;
  ASSERT_TRUE(stub_->ModelStatistics(&context, request, &response).ok());
  ASSERT_EQ(response.model_stats_size(), 1);
  const inference::ModelStatistics& model = response.model_stats(0);
  EXPECT_EQ(model.name(), "app-a");
  EXPECT_EQ(model.version(), "1");
  EXPECT_EQ(model.inference_count(), 3u);
  EXPECT_EQ(model.execution_count(), 3u);
  EXPECT_GT(model.last_inference(), 1'000'000'000'000u);
  const inference::InferStatistics& sections = model.inference_stats();
  EXPECT_EQ(sections.success().count(), 3u);
  EXPECT_EQ(sections.fail().count(), 1u);
  for (const auto* section :
       {&sections.queue(), &sections.compute_input(), &sections.compute_infer(), &sections.compute_output()})
    EXPECT_EQ(section->count(), 3u);
  EXPECT_TRUE(sections.has_cache_hit());
  EXPECT_TRUE(sections.has_cache_miss());
  EXPECT_EQ(sections.success().ns(), sections.queue().ns() + sections.compute_input().ns() +
                                         sections.compute_infer().ns() + sections.compute_output().ns());
  EXPECT_EQ(core_->refusals()[static_cast<size_t>(StatusCode::kNotFound)], 1u);
}

TEST_F(InferenceExtensionsTest, StatisticsWithoutANameAreOfAll) {
  grpc::ClientContext context;
  inference::ModelStatisticsResponse response;
  ASSERT_TRUE(stub_->ModelStatistics(&context, {}, &response).ok());
  ASSERT_EQ(response.model_stats_size(), 2);
  EXPECT_EQ(response.model_stats(0).name(), "app-a");
  EXPECT_EQ(response.model_stats(1).name(), "app-b");
}

TEST_F(InferenceExtensionsTest, TheRepositoryIndexListsWhatIsServed) {
  router_->Withdraw(kAppB);
  grpc::ClientContext context;
  inference::RepositoryIndexResponse response;
  ASSERT_TRUE(stub_->RepositoryIndex(&context, {}, &response).ok());
  ASSERT_EQ(response.models_size(), 1);
  EXPECT_EQ(response.models(0).name(), "app-a");
  EXPECT_EQ(response.models(0).version(), "1");
  EXPECT_EQ(response.models(0).state(), "READY");
}

TEST_F(InferenceExtensionsTest, LoadingAndUnloadingAreTheControllersBusiness) {
  grpc::ClientContext load_context, unload_context;
  inference::RepositoryModelLoadResponse loaded;
  const grpc::Status load = stub_->RepositoryModelLoad(&load_context, {}, &loaded);
  EXPECT_EQ(load.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(load.error_message(), HasSubstr("avocet app apply"));
  inference::RepositoryModelUnloadResponse unloaded;
  EXPECT_EQ(stub_->RepositoryModelUnload(&unload_context, {}, &unloaded).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(InferenceExtensionsTest, WhatIsNotServedSaysSoInWords) {
  grpc::ClientContext contexts[6];
  inference::SystemSharedMemoryStatusResponse regions;
  EXPECT_TRUE(stub_->SystemSharedMemoryStatus(&contexts[0], {}, &regions).ok());
  EXPECT_TRUE(regions.regions().empty());
  inference::CudaSharedMemoryUnregisterResponse unregistered;
  EXPECT_TRUE(stub_->CudaSharedMemoryUnregister(&contexts[1], {}, &unregistered).ok());

  inference::SystemSharedMemoryRegisterResponse registered;
  const grpc::Status memory = stub_->SystemSharedMemoryRegister(&contexts[2], {}, &registered);
  EXPECT_EQ(memory.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(memory.error_message(), "shared memory is an extension that is not served");
  inference::TraceSettingResponse traced;
  EXPECT_THAT(stub_->TraceSetting(&contexts[3], {}, &traced).error_message(), HasSubstr("tracing is an extension"));
  inference::LogSettingsResponse logged;
  EXPECT_THAT(stub_->LogSettings(&contexts[4], {}, &logged).error_message(), HasSubstr("is not served"));
  inference::SystemSharedMemoryStatusRequest one;
  one.set_name("r");
  EXPECT_EQ(stub_->SystemSharedMemoryStatus(&contexts[5], one, &regions).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(InferenceExtensionsTest, AMessageThatCanNeverFitIsRefusedForGood) {
  core_ = std::make_shared<InferenceCore>(InferenceCoreOptions{.max_bytes_in_flight = 10}, router_);
  InferenceServerOptions options;
  options.grpc_address = "127.0.0.1:0";
  auto server = InferenceServer::Start(options, core_);
  ASSERT_TRUE(server.ok());
  server_ = std::move(*server);
  stub_ = NewStub();
  const grpc::Status status = Infer(GoodRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("one may take 10 of the 10"));
  EXPECT_THAT(status.error_message(), Not(HasSubstr("retry")));
}

} // namespace
} // namespace avocet

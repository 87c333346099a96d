#include "cli/load/load_client.h"

#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "inference/grpc_service.grpc.pb.h"
#include "tests/cli/load/fake_http_server.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

/// Serves "cam" (emulated), "bad" (always unavailable) and "liar" (answers with another id); holds the
/// answers of "slow" until they are cancelled.
class FakeService : public inference::GRPCInferenceService::Service {
public:
  grpc::Status ModelMetadata(grpc::ServerContext*, const inference::ModelMetadataRequest* request,
                             inference::ModelMetadataResponse* response) override {
    if (request->name() == "gone") return {grpc::StatusCode::NOT_FOUND, "no application 'gone'"};
    response->set_name(request->name());
    auto* input = response->add_inputs();
    input->set_name("image");
    input->set_datatype(request->name() == "odd" ? "FP8" : "FP32");
    for (int64_t extent : {-1, 4, 2})
      input->add_shape(extent);
    return grpc::Status::OK;
  }

  grpc::Status ModelInfer(grpc::ServerContext* context, const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override {
    Keep(*request);
    if (request->model_name() == "bad") return {grpc::StatusCode::UNAVAILABLE, "queue full"};
    if (request->model_name() == "slow") WaitUntilReleased(*context);
    response->set_id(request->model_name() == "liar" ? "7" : request->id());
    response->add_raw_output_contents(std::string(100'000, 'x'));
    (*response->mutable_parameters())["emulated"].set_bool_param(true);
    (*response->mutable_parameters())["response_time_ns"].set_int64_param(2'000'000);
    return grpc::Status::OK;
  }

  inference::ModelInferRequest last_request() {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

private:
  void Keep(const inference::ModelInferRequest& request) {
    const std::lock_guard lock(mutex_);
    last_request_ = request;
  }
  /// Until the client cancels: these calls never end by themselves.
  static void WaitUntilReleased(grpc::ServerContext& context) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    while (!context.IsCancelled())
      never.wait_for(lock, milliseconds(5));
  }

  std::mutex mutex_;
  inference::ModelInferRequest last_request_;
};

/// The same behaviour over both protocols.
class LoadClient : public ::testing::TestWithParam<LoadProtocol> {
public:
  LoadClient() {
    options_.protocol = GetParam();
    if (GetParam() == LoadProtocol::kHttp) {
      http_.emplace();
      options_.address = http_->address();
      return;
    }
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    grpc_ = builder.BuildAndStart();
    options_.address = "127.0.0.1:" + std::to_string(port);
  }
  ~LoadClient() override { StopServer(); }

protected:
  static LoadPlan Plan(const std::vector<std::string>& apps, double rate_rps, Duration duration) {
    LoadPlan plan;
    for (const std::string& app : apps)
      plan.targets.push_back({AppId(app), rate_rps, {ArrivalKind::kPeriodic, 0}});
    plan.duration = duration;
    return plan;
  }
  void StopServer() {
    if (grpc_) grpc_->Shutdown(std::chrono::system_clock::now() + seconds(5));
    if (http_) http_->Stop();
  }

  FakeService service_;
  std::unique_ptr<grpc::Server> grpc_;
  std::optional<FakeHttpServer> http_;
  LoadClientOptions options_;
};

/// What only one of them does.
class GrpcLoadClient : public LoadClient {};
class HttpLoadClient : public LoadClient {};
INSTANTIATE_TEST_SUITE_P(, GrpcLoadClient, ::testing::Values(LoadProtocol::kGrpc));
INSTANTIATE_TEST_SUITE_P(, HttpLoadClient, ::testing::Values(LoadProtocol::kHttp));

TEST_P(LoadClient, SendsTheScheduleAndReports) {
  uint64_t last_sent = 0;
  int calls = 0;
  const auto report = RunLoad(Plan({"cam"}, 100, milliseconds(500)), options_, [&](const LoadProgress& progress) {
    ++calls;
    EXPECT_GE(progress.apps.at(0).sent, last_sent);
    last_sent = progress.apps.at(0).sent;
  });
  ASSERT_TRUE(report.ok()) << report.status().message();
  ASSERT_EQ(report->apps.size(), 1U);
  const AppLoadReport& app = report->apps[0];
  EXPECT_EQ(app.sent, 50U);
  EXPECT_EQ(app.ok, 50U);
  EXPECT_TRUE(report->ok());
  EXPECT_FALSE(report->interrupted);
  EXPECT_TRUE(app.emulated);
  EXPECT_EQ(app.latency.count, 50U);
  EXPECT_GT(app.latency.mean_s, 0);
  ASSERT_TRUE(app.server_response);
  EXPECT_DOUBLE_EQ(app.server_response->p95_s, 0.002);
  EXPECT_DOUBLE_EQ(app.achieved_rps, 100);
  EXPECT_EQ(last_sent, 50U);
  EXPECT_GE(calls, 2);
}

TEST_P(GrpcLoadClient, BuildsRequestsFromTheMetadata) {
  ASSERT_TRUE(RunLoad(Plan({"cam"}, 20, milliseconds(100)), options_).ok());
  const auto request = service_.last_request();
  EXPECT_EQ(request.model_name(), "cam");
  ASSERT_EQ(request.inputs_size(), 1);
  EXPECT_EQ(request.inputs(0).name(), "image");
  EXPECT_EQ(request.inputs(0).datatype(), "FP32");
  EXPECT_THAT(request.inputs(0).shape(), ::testing::ElementsAre(1, 4, 2));
  ASSERT_EQ(request.raw_input_contents_size(), 1);
  EXPECT_EQ(request.raw_input_contents(0), std::string(32, '\0'));
  EXPECT_EQ(request.id(), "2");
}

TEST_P(HttpLoadClient, BuildsRequestsFromTheMetadata) {
  ASSERT_TRUE(RunLoad(Plan({"cam"}, 20, milliseconds(100)), options_).ok());
  const auto request = http_->last_request();
  EXPECT_EQ(request.target, "/v2/models/cam/infer");
  EXPECT_EQ(request.json["id"], "00000000000000000002");
  EXPECT_EQ(request.json["parameters"]["binary_data_output"], true);
  EXPECT_EQ(request.json["inputs"], nlohmann::json::parse(R"([{"name":"image","shape":[1,4,2],"datatype":"FP32",
                                                               "parameters":{"binary_data_size":32}}])"));
  EXPECT_EQ(request.tensors, std::string(32, '\0'));
}

TEST_P(HttpLoadClient, OpensAConnectionOnlyWhenNoneIsFree) {
  options_.connections = 1;
  const auto report = RunLoad(Plan({"cam"}, 200, milliseconds(200)), options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->apps[0].ok, 40U);
  EXPECT_EQ(http_->connections(), 3) << "one to see whether anybody is there, one for the metadata";
}

TEST_P(HttpLoadClient, GoesOnWhenTheServerClosesConnections) {
  const auto report = RunLoad(Plan({"closing"}, 100, milliseconds(200)), options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->apps[0].ok, 20U);
  EXPECT_EQ(report->apps[0].failed, 0U);
}

TEST_P(HttpLoadClient, SaysThatItDoesNotReadChunkedAnswers) {
  const auto report = RunLoad(Plan({"chunked"}, 20, milliseconds(100)), options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  ASSERT_EQ(report->apps[0].errors.size(), 1U);
  EXPECT_EQ(report->apps[0].errors[0].code, StatusCode::kUnsupported);
  EXPECT_THAT(report->apps[0].errors[0].first_message, HasSubstr("Content-Length"));
}

TEST_P(LoadClient, FailuresArePartOfTheReport) {
  const auto report = RunLoad(Plan({"cam", "bad"}, 50, milliseconds(200)), options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->apps[0].failed, 0U);
  EXPECT_EQ(report->apps[1].failed, 10U);
  ASSERT_EQ(report->apps[1].errors.size(), 1U);
  EXPECT_EQ(report->apps[1].errors[0].code, StatusCode::kUnavailable);
  EXPECT_EQ(report->apps[1].errors[0].first_message, "queue full");
  EXPECT_FALSE(report->ok());
}

TEST_P(LoadClient, AnAnswerWithAnotherIdIsAFailure) {
  const auto report = RunLoad(Plan({"liar"}, 20, milliseconds(100)), options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->apps[0].failed, 2U);
  ASSERT_EQ(report->apps[0].errors.size(), 1U);
  EXPECT_EQ(report->apps[0].errors[0].code, StatusCode::kInternal);
  EXPECT_THAT(report->apps[0].errors[0].first_message, HasSubstr("request 1 was answered with the id '7'"));
}

TEST_P(LoadClient, SendsATraceAsItIs) {
  LoadPlan plan = Plan({"cam", "bad"}, 1, milliseconds(60));
  plan.trace = std::make_shared<const std::vector<ScheduledRequest>>(std::vector<ScheduledRequest>{
      {milliseconds(0), 0}, {milliseconds(0), 1}, {milliseconds(20), 0}, {milliseconds(50), 0}, {seconds(9), 0}});
  const auto report = RunLoad(plan, options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->apps[0].ok, 3U) << "the last one is due after the end";
  EXPECT_EQ(report->apps[1].failed, 1U);
  EXPECT_DOUBLE_EQ(report->apps[0].intended_rps, 50);
}

TEST_P(LoadClient, AClosedLoopKeepsThatManyInFlight) {
  LoadPlan plan = Plan({"cam"}, 0, milliseconds(300));
  plan.concurrency = 3;
  uint64_t most = 0;
  const auto report = RunLoad(
      plan, options_, [&](const LoadProgress& progress) { most = std::max(most, progress.apps.at(0).outstanding); });
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(report->ok()) << "nothing is dropped, nothing stays unanswered";
  EXPECT_GT(report->apps[0].ok, 6U);
  EXPECT_LE(most, 3U);
  EXPECT_FALSE(report->interrupted);
}

TEST_P(LoadClient, AClosedLoopThatIsStuckSendsNoMore) {
  options_.drain_deadline = milliseconds(20);
  LoadPlan plan = Plan({"slow"}, 0, milliseconds(50));
  plan.concurrency = 3;
  const auto report = RunLoad(plan, options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->apps[0].sent, 3U);
  EXPECT_EQ(report->apps[0].unanswered, 3U);
}

TEST_P(LoadClient, DropsWhatIsBeyondTheOutstandingLimitAndAbandonsAtTheEnd) {
  options_.max_outstanding = 3;
  options_.drain_deadline = milliseconds(20);
  const auto report = RunLoad(Plan({"slow"}, 100, milliseconds(100)), options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->apps[0].sent, 3U);
  EXPECT_EQ(report->apps[0].dropped, 7U);
  EXPECT_EQ(report->apps[0].unanswered, 3U);
  EXPECT_EQ(report->apps[0].failed, 0U);
}

TEST_P(LoadClient, EachRequestHasADeadline) {
  options_.request_deadline = milliseconds(50);
  const auto report = RunLoad(Plan({"slow"}, 100, milliseconds(50)), options_);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->apps[0].failed, 5U);
  ASSERT_EQ(report->apps[0].errors.size(), 1U);
  EXPECT_EQ(report->apps[0].errors[0].code, StatusCode::kDeadlineExceeded);
}

TEST_P(LoadClient, StopsEarlyWhenAsked) {
  std::stop_source stop;
  const auto report = RunLoad(
      Plan({"cam"}, 100, std::chrono::hours(1)), options_,
      [&](const LoadProgress& progress) {
        if (progress.apps.at(0).sent > 0) stop.request_stop();
      },
      stop.get_token());
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(report->interrupted);
  EXPECT_LT(report->elapsed, std::chrono::minutes(30));
  EXPECT_EQ(report->apps[0].ok, report->apps[0].sent);
}

TEST_P(LoadClient, NamesAnApplicationThatIsNotServed) {
  const auto report = RunLoad(Plan({"cam", "gone"}, 10, seconds(1)), options_);
  EXPECT_EQ(report.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(report.status().message(), HasSubstr("application 'gone' at 127.0.0.1:"));
}

TEST_P(LoadClient, NamesADatatypeThatItDoesNotKnow) {
  const auto report = RunLoad(Plan({"odd"}, 10, seconds(1)), options_);
  EXPECT_EQ(report.status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(report.status().message(), HasSubstr("input 'image' has the unknown datatype 'FP8'"));
}

TEST_P(LoadClient, NobodyAtTheAddressIsUnavailable) {
  StopServer();
  options_.connect_deadline = milliseconds(300);
  const auto report = RunLoad(Plan({"cam"}, 10, seconds(1)), options_);
  EXPECT_EQ(report.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(report.status().message(), HasSubstr(options_.address));
}

TEST_P(LoadClient, RefusesInvalidPlansAndOptions) {
  EXPECT_EQ(RunLoad({}, options_).status().code(), StatusCode::kInvalidArgument);
  options_.max_outstanding = 0;
  EXPECT_EQ(RunLoad(Plan({"cam"}, 10, seconds(1)), options_).status().code(), StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(, LoadClient, ::testing::Values(LoadProtocol::kGrpc, LoadProtocol::kHttp),
                         [](const auto& info) { return std::string(ToString(info.param)); });

} // namespace
} // namespace avocet

// Compressed messages: answers as the request was, and bounds before they grow.
#include "node_agent/grpc/inference_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <grpcpp/generic/generic_stub.h>

#include <future>

#include "node_agent/grpc/inference_message.h"
#include "tests/node_agent/grpc/inference_server_fixture.h"

namespace avocet {
namespace {

using testing::HasSubstr;

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

} // namespace
} // namespace avocet

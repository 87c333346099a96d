// The pure parts of the REST endpoint: responses and their heads.
#include "node_agent/http/http_infer_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "node_agent/http/http_reply.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {
namespace {

using testing::HasSubstr;

TEST(BytesToEncode, AreThoseOfJsonAndOfClasses) {
  const Tensor one{{"a", DataType::kUint8, {100}}, std::vector<std::byte>(100)};
  const Tensor two{{"b", DataType::kUint8, {20}}, std::vector<std::byte>(20)};
  HttpInferRequest request;
  InferenceAnswer answer{ModelId("m:3"), false, {&one, &two}, {}};
  EXPECT_EQ(BytesToEncode(request, answer), 120u);
  request.is_binary_by_default = true;
  EXPECT_EQ(BytesToEncode(request, answer), 0u);
  answer.classes = {0, 3};
  EXPECT_EQ(BytesToEncode(request, answer), 20u);
}

template <class T> Tensor Of(DataType type, const std::vector<T>& values) {
  Tensor tensor{{"o", type, {static_cast<int64_t>(values.size())}}, std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

std::string DataOf(const Tensor& tensor) {
  ByteBudget budget(kMiB);
  ByteBudget::Lease lease(budget);
  AnswerRoom room(lease, kMiB);
  const auto reply = EncodeInferResponse({}, "cam", {ModelId("m:3"), false, {&tensor}}, room);
  if (!reply.ok()) return reply.status().message();
  const size_t at = reply->text.find("\"data\":");
  return reply->text.substr(at + 7, reply->text.size() - at - 10);
}

TEST(EncodeInferResponse, DataOfEveryDatatype) {
  EXPECT_EQ(DataOf(Of<uint8_t>(DataType::kBool, {0, 1})), "[false,true]");
  EXPECT_EQ(DataOf(Of<int8_t>(DataType::kInt8, {-128})), "[-128]");
  EXPECT_EQ(DataOf(Of<uint8_t>(DataType::kUint8, {255})), "[255]");
  EXPECT_EQ(DataOf(Of<int16_t>(DataType::kInt16, {-1})), "[-1]");
  EXPECT_EQ(DataOf(Of<uint16_t>(DataType::kUint16, {65535})), "[65535]");
  EXPECT_EQ(DataOf(Of<int32_t>(DataType::kInt32, {-1})), "[-1]");
  EXPECT_EQ(DataOf(Of<uint32_t>(DataType::kUint32, {4294967295u})), "[4294967295]");
  EXPECT_EQ(DataOf(Of<int64_t>(DataType::kInt64, {-1})), "[-1]");
  EXPECT_EQ(DataOf(Of<uint64_t>(DataType::kUint64, {18446744073709551615u})), "[18446744073709551615]");
  EXPECT_EQ(DataOf(Of<float>(DataType::kFp32, {0.1F, 3})), "[0.1,3]");
  EXPECT_EQ(DataOf(Of<double>(DataType::kFp64, {0.1})), "[0.1]");
  EXPECT_EQ(DataOf(Of<float>(DataType::kFp32,
                             {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()})),
            "[NaN,-Infinity]");
  Tensor text{{"o", DataType::kBytes, {2}}, {}};
  text.data = Of<uint8_t>(DataType::kUint8, {2, 0, 0, 0, 'h', '"', 0, 0, 0, 0}).data;
  EXPECT_EQ(DataOf(text), R"(["h\"",""])");
  EXPECT_THAT(DataOf(Of<uint16_t>(DataType::kFp16, {0})), HasSubstr("is FP16, which has no JSON form; ask for binary"));
  EXPECT_THAT(DataOf(Of<uint16_t>(DataType::kBf16, {0})), HasSubstr("is BF16, which has no JSON form; ask for binary"));
}

TEST(EncodeInferResponse, BinaryOutputsAreNotCopied) {
  const Tensor one = Of<float>(DataType::kFp32, {1}), two = Of<uint8_t>(DataType::kUint8, {1, 2});
  HttpInferRequest request;
  request.outputs = {{"one", 0}, {"two", 0}};
  request.are_binary = {std::nullopt, false};
  request.is_binary_by_default = true;
  ByteBudget budget(kMiB);
  ByteBudget::Lease lease(budget);
  AnswerRoom room(lease, kMiB);
  const auto reply = EncodeInferResponse(request, "cam", {ModelId("m:3"), true, {&one, &two}}, room);
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->tails.size(), 1u);
  EXPECT_EQ(reply->tails[0].data(), one.data.data());
  EXPECT_EQ(reply->text, R"({"model_name":"cam","model_version":"3","parameters":{"emulated":true},"outputs":[)"
                         R"({"name":"o","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}},)"
                         R"({"name":"o","datatype":"UINT8","shape":[2],"data":[1,2]}]})");
  const std::string head = HeadOf(*reply, {});
  EXPECT_THAT(head, HasSubstr("Content-Length: " + std::to_string(reply->text.size() + 4) + "\r\n"));
  EXPECT_THAT(head, HasSubstr("Inference-Header-Content-Length: " + std::to_string(reply->text.size()) + "\r\n"));
}

TEST(EncodeInferResponse, StopsWhereItsRoomEnds) {
  const Tensor numbers = Of<uint8_t>(DataType::kUint8, std::vector<uint8_t>(100'000, 200));
  Tensor text{{"o", DataType::kBytes, {4000}}, {}};
  for (int i = 0; i < 4000; ++i)
    AppendByteString(std::string(96, 'x'), text.data);
  for (const Tensor* tensor : {&numbers, static_cast<const Tensor*>(&text)}) {
    ByteBudget budget(16 * kMiB);
    ByteBudget::Lease lease(budget);
    AnswerRoom fits(lease, 500'000), small(lease, 300'000);
    EXPECT_TRUE(EncodeInferResponse({}, "cam", {ModelId("m:3"), false, {tensor}}, fits).ok());
    EXPECT_GE(lease.bytes(), 400'000u) << "what is written is reserved";
    EXPECT_LE(lease.bytes(), 500'000u);
    const auto refused = EncodeInferResponse({}, "cam", {ModelId("m:3"), false, {tensor}}, small);
    EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(refused.status().message(), HasSubstr("more than 300000 bytes of JSON"));
  }
}

TEST(HttpStatusOf, AsTritonDoes) {
  EXPECT_EQ(HttpStatusOf(StatusCode::kInternal), 500);
  EXPECT_EQ(HttpStatusOf(StatusCode::kNotFound), 404);
  EXPECT_EQ(HttpStatusOf(StatusCode::kUnavailable), 503);
  EXPECT_EQ(HttpStatusOf(StatusCode::kUnsupported), 501);
  EXPECT_EQ(HttpStatusOf(StatusCode::kInvalidArgument), 400);
  EXPECT_EQ(HttpStatusOf(StatusCode::kAlreadyExists), 400);
}

TEST(ErrorReply, EscapesItsText) {
  EXPECT_EQ(ErrorReply(400, "say \"no\"\n").text, R"({"error":"say \"no\"\n"})");
  EXPECT_THAT(HeadOf(ErrorReply(Unavailable("full")), {.keep_alive = false}),
              AllOf(HasSubstr("HTTP/1.1 503 Service Unavailable\r\n"), HasSubstr("Retry-After: 1\r\n"),
                    HasSubstr("Connection: close\r\n")));
}

} // namespace
} // namespace avocet

// Messages of gRPC as they come: compressed or not, within their bounds, and what is not what it says.
#include "node_agent/grpc/inference_message.h"

#include <gmock/gmock.h>
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <gtest/gtest.h>

#include <random>

#include "inference/grpc_service.pb.h"

namespace avocet {
namespace {

using inference::ModelInferRequest;
using testing::HasSubstr;

constexpr uint64_t kMost = 1 << 20;

/// A received message in slices of `piece` bytes.
grpc::ByteBuffer Received(const std::string& bytes, grpc_compression_algorithm algorithm, size_t piece = 1000) {
  std::vector<grpc_slice> slices;
  for (size_t at = 0; at < bytes.size(); at += piece)
    slices.push_back(grpc_slice_from_copied_buffer(bytes.data() + at, std::min(piece, bytes.size() - at)));
  grpc::ByteBuffer buffer;
  grpc::internal::GrpcByteBufferPeer::Set(
      buffer, grpc_raw_compressed_byte_buffer_create(slices.data(), slices.size(), algorithm));
  for (const grpc_slice& slice : slices)
    grpc_slice_unref(slice);
  return buffer;
}

HttpCoding CodingFor(grpc_compression_algorithm algorithm) {
  return algorithm == GRPC_COMPRESS_GZIP ? HttpCoding::kGzip : HttpCoding::kDeflate;
}

std::string Compressed(const std::string& text, grpc_compression_algorithm algorithm) {
  const std::span<const std::byte> part = std::as_bytes(std::span(text));
  return Deflate(CodingFor(algorithm), {&part, 1}).value();
}

ModelInferRequest Sample(size_t bytes = 10'000) {
  ModelInferRequest request;
  request.set_model_name("door");
  request.add_raw_input_contents(std::string(bytes, 'x'));
  return request;
}

TEST(ParseMessage, ReadsPlainAndCompressedOnes) {
  const std::string bytes = Sample().SerializeAsString();
  for (const auto algorithm : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    const bool is_plain = algorithm == GRPC_COMPRESS_NONE;
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{100'000}}) {
      grpc::ByteBuffer buffer = Received(is_plain ? bytes : Compressed(bytes, algorithm), algorithm, piece);
      EXPECT_EQ(CodingOf(buffer), is_plain ? HttpCoding::kIdentity : CodingFor(algorithm));
      ByteBudget budget(kMost);
      ByteBudget::Lease lease(budget);
      ModelInferRequest request;
      const Status parsed = ParseMessage(buffer, kMost, lease, request);
      ASSERT_TRUE(parsed.ok()) << parsed.ToString();
      EXPECT_EQ(request.SerializeAsString(), bytes);
      EXPECT_FALSE(buffer.Valid()) << "freed";
      EXPECT_GE(budget.used(), bytes.size()) << "what the message takes";
      EXPECT_LE(budget.used(), bytes.size() + 1000);
    }
  }
}

TEST(ParseMessage, OneByteBeyondTheBoundIsTooMuch) {
  const std::string bytes = Sample(100'000).SerializeAsString();
  ByteBudget budget(kMost);
  ByteBudget::Lease lease(budget);
  ModelInferRequest request;
  grpc::ByteBuffer fits = Received(Compressed(bytes, GRPC_COMPRESS_GZIP), GRPC_COMPRESS_GZIP);
  EXPECT_LT(fits.Length(), 1000u);
  EXPECT_TRUE(ParseMessage(fits, bytes.size(), lease, request).ok());
  grpc::ByteBuffer bomb = Received(Compressed(bytes, GRPC_COMPRESS_GZIP), GRPC_COMPRESS_GZIP);
  const Status refused = ParseMessage(bomb, bytes.size() - 1, lease, request);
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.message(), HasSubstr("when it is decompressed"));
}

TEST(ParseMessage, TakesNoMoreThanTheBudgetHas) {
  const std::string bytes = Sample(100'000).SerializeAsString();
  for (const auto algorithm : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP}) {
    ByteBudget budget(299'999);
    ByteBudget::Lease lease(budget), others(budget);
    others.Grow(200'000);
    ModelInferRequest request;
    grpc::ByteBuffer buffer =
        Received(algorithm == GRPC_COMPRESS_NONE ? bytes : Compressed(bytes, algorithm), algorithm);
    const Status refused = ParseMessage(buffer, kMost, lease, request);
    EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
    EXPECT_THAT(refused.message(), HasSubstr("of 299999 bytes"));
  }
}

/// Two bytes on the wire for each of many things in memory.
struct Swelling {
  const char* name;
  void (*swell)(ModelInferRequest&);
};
void PrintTo(const Swelling& swelling, std::ostream* out) {
  *out << swelling.name;
}

class ParseMessageReserves : public testing::TestWithParam<Swelling> {};

TEST_P(ParseMessageReserves, WhatTheMessageTakesAndNotWhatItsBytesDo) {
  ModelInferRequest sent;
  for (int i = 0; i < 20'000; ++i)
    GetParam().swell(sent);
  const std::string bytes = sent.SerializeAsString();
  for (const auto algorithm : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP}) {
    const std::string wire = algorithm == GRPC_COMPRESS_NONE ? bytes : Compressed(bytes, algorithm);
    ByteBudget budget(64 << 20);
    ByteBudget::Lease lease(budget);
    ModelInferRequest received;
    grpc::ByteBuffer buffer = Received(wire, algorithm);
    ASSERT_TRUE(ParseMessage(buffer, 4 << 20, lease, received).ok());
    EXPECT_GE(budget.used(), received.SpaceUsedLong());
    EXPECT_LE(budget.used(), 8 * received.SpaceUsedLong());

    ByteBudget small(std::max(bytes.size() + wire.size(), received.SpaceUsedLong() / 2));
    ByteBudget::Lease refused(small);
    ModelInferRequest none;
    grpc::ByteBuffer again = Received(wire, algorithm);
    EXPECT_FALSE(ParseMessage(again, 4 << 20, refused, none).ok());
    EXPECT_EQ(none.ByteSizeLong(), 0u) << "nothing was read";
  }
}

ModelInferRequest::InferInputTensor& OneInput(ModelInferRequest& request) {
  return request.inputs_size() > 0 ? *request.mutable_inputs(0) : *request.add_inputs();
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ParseMessageReserves,
    testing::Values(Swelling{"empty inputs", [](auto& r) { r.add_inputs(); }},
                    Swelling{"inputs with contents", [](auto& r) { r.add_inputs()->mutable_contents(); }},
                    Swelling{"empty outputs", [](auto& r) { r.add_outputs(); }},
                    Swelling{"empty raw contents", [](auto& r) { r.add_raw_input_contents(); }},
                    Swelling{"empty strings", [](auto& r) { OneInput(r).mutable_contents()->add_bytes_contents(); }},
                    Swelling{"small integers", [](auto& r) { OneInput(r).mutable_contents()->add_int64_contents(1); }},
                    Swelling{"extents", [](auto& r) { OneInput(r).add_shape(1); }},
                    Swelling{"parameters", [](auto& r) {
                               (*r.mutable_parameters())[std::to_string(r.parameters_size())].set_bool_param(true);
                             }}));

TEST(ParseMessage, RefusesWhatIsNotWhatItSays) {
  const std::string bytes = Sample().SerializeAsString(), zipped = Compressed(bytes, GRPC_COMPRESS_GZIP);
  const auto parse = [](const std::string& text, grpc_compression_algorithm algorithm) {
    ByteBudget budget(kMost);
    ByteBudget::Lease lease(budget);
    ModelInferRequest request;
    grpc::ByteBuffer buffer = Received(text, algorithm);
    return ParseMessage(buffer, kMost, lease, request);
  };
  const Status no_message = InvalidArgument("the message is no inference.ModelInferRequest");
  EXPECT_EQ(parse(bytes.substr(0, 500), GRPC_COMPRESS_NONE), no_message);
  EXPECT_EQ(parse(zipped, GRPC_COMPRESS_NONE), no_message);
  EXPECT_EQ(parse(Compressed("nonsense", GRPC_COMPRESS_GZIP), GRPC_COMPRESS_GZIP), no_message);
  for (const std::string& wrong : {bytes, zipped.substr(0, zipped.size() / 2), zipped + "more",
                                   Compressed(bytes, GRPC_COMPRESS_DEFLATE), std::string()})
    EXPECT_EQ(parse(wrong, GRPC_COMPRESS_GZIP).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(parse("", GRPC_COMPRESS_NONE).ok()) << "a message without fields";
}

// Bytes changed, dropped, doubled: an error or a message, never more memory than the budget.
TEST(ParseMessage, SurvivesDamage) {
  const char* text = std::getenv("AVOCET_TEST_SEED");
  const uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
  std::cout << "AVOCET_TEST_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  std::string sample = Sample(50).SerializeAsString();
  for (int i = 0; i < 200; ++i)
    sample += static_cast<char>(random() % 5);
  size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto algorithm = std::array{GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}[random() % 3];
    std::string bytes = algorithm == GRPC_COMPRESS_NONE ? sample : Compressed(sample, algorithm);
    for (size_t changes = 1 + random() % 3; changes > 0; --changes) {
      const size_t at = random() % (bytes.size() + 1);
      if (random() % 3 == 0)
        bytes.erase(at, random() % 4);
      else if (random() % 2 == 0)
        bytes.insert(at, bytes.substr(random() % (bytes.size() + 1), random() % 20));
      else if (at < bytes.size())
        bytes[at] = static_cast<char>(random());
    }
    ByteBudget budget(1 << 16);
    ByteBudget::Lease lease(budget);
    ModelInferRequest request;
    grpc::ByteBuffer buffer = Received(bytes, algorithm, 1 + random() % 100);
    const Status parsed = ParseMessage(buffer, 1024, lease, request);
    refused += parsed.ok() ? 0 : 1;
    if (parsed.ok()) {
      ASSERT_GE(budget.used(), request.SpaceUsedLong());
    }
    ASSERT_TRUE(parsed.ok() || !parsed.message().empty());
  }
  EXPECT_GT(refused, 5'000u);
}

TEST(SerializeMessage, IsReadBack) {
  for (const size_t size : {size_t{0}, size_t{3}, size_t{5'000'000}}) {
    const ModelInferRequest sent = Sample(size);
    grpc::ByteBuffer bytes;
    ASSERT_TRUE(SerializeMessage(sent, bytes).ok());
    ByteBudget budget(1 << 30);
    ByteBudget::Lease lease(budget);
    ModelInferRequest received;
    ASSERT_TRUE(ParseMessage(bytes, 1 << 30, lease, received).ok());
    EXPECT_TRUE(received.SerializeAsString() == sent.SerializeAsString());
  }
}

TEST(SerializeAnswer, IsReadBackWhateverTheSizesOfItsOutputs) {
  const auto owner = std::make_shared<std::vector<std::string>>(
      std::vector<std::string>{"short", "", std::string(100'000, 'x'), std::string(4096, 'y'), "z"});
  AnswerMessage answer;
  answer.facts.set_model_name("cam");
  answer.facts.add_outputs()->set_name("out");
  answer.owner = owner;
  for (const std::string& raw : *owner)
    answer.raw.push_back(std::as_bytes(std::span(raw)));
  inference::ModelInferResponse wanted = answer.facts;
  for (const std::string& raw : *owner)
    wanted.add_raw_output_contents(raw);

  ByteBudget budget(1 << 30);
  ByteBudget::Lease lease(budget);
  grpc::ByteBuffer plain, streamed;
  ASSERT_TRUE(SerializeAnswer(answer, false, plain).ok());
  inference::ModelInferResponse received;
  ASSERT_TRUE(ParseMessage(plain, kMost, lease, received).ok());
  EXPECT_TRUE(received.SerializeAsString() == wanted.SerializeAsString());

  ASSERT_TRUE(SerializeAnswer(answer, true, streamed).ok());
  inference::ModelStreamInferResponse stream;
  ASSERT_TRUE(ParseMessage(streamed, kMost, lease, stream).ok());
  EXPECT_TRUE(stream.infer_response().SerializeAsString() == wanted.SerializeAsString());
}

TEST(SerializeAnswer, KeepsItsOutputsAliveAsLongAsItsBytes) {
  auto owner = std::make_shared<std::string>(100'000, 'x');
  AnswerMessage answer;
  answer.raw.push_back(std::as_bytes(std::span(*owner)));
  answer.owner = owner;
  const std::weak_ptr<std::string> alive = owner;
  grpc::ByteBuffer bytes;
  ASSERT_TRUE(SerializeAnswer(answer, false, bytes).ok());
  answer.owner = owner = nullptr;
  EXPECT_FALSE(alive.expired());
  bytes.Clear();
  EXPECT_TRUE(alive.expired());
}

} // namespace
} // namespace avocet

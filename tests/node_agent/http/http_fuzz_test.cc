// Malformed requests by the hundred thousand: an error for each, never a crash or an allocation beyond
// the limits. Deterministic; AVOCET_TEST_SEED repeats or varies a run.
#include <gtest/gtest.h>

#include <random>

#include "tests/node_agent/http/http_fuzz.h"
#include "tests/node_agent/http/http_server_fixture.h"
#include "tests/support/process.h"

namespace avocet {
namespace {

uint64_t Seed() {
  const char* text = std::getenv("AVOCET_TEST_SEED");
  const uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
  std::cout << "AVOCET_TEST_SEED=" << seed << "\n";
  return seed;
}

const std::vector<std::string>& Corpus() {
  static const std::vector<std::string> kCorpus{
      R"({"id":"7","inputs":[{"name":"in","shape":[2],"datatype":"FP32","data":[1,-2.5e3]}],"outputs":[{"name":"out",)"
      R"("parameters":{"classification":3,"binary_data":true}}]})",
      R"({"inputs":[{"name":"in","shape":[2,1],"datatype":"INT16","data":[[1],[2]]},)"
      R"({"name":"s","datatype":"BYTES","shape":[2],"data":["a","\u00e9"]}],"parameters":{"timeout":5,"priority":1}})",
      R"({"inputs":[{"data":[true,false],"name":"b","datatype":"BOOL","shape":[2]}],"x":{"y":[1,[2,{"z":null}]]}})",
      R"({"inputs":[{"name":"in","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}],)"
      R"("parameters":{"binary_data_output":true}})"
      "\x01\x02\x03\x04\x05\x06\x07\x08",
  };
  return kCorpus;
}

/// Changes, doubles, cuts or splices some bytes.
std::string Mutate(std::string text, std::mt19937_64& random) {
  static const std::vector<std::string> kTokens{
      "[",       "]",   "{",     "}",           ",",         ":",        "\"",
      "null",    "-1",  "1e999", "99999999999", "\"shape\"", "\"data\"", "\"binary_data_size\"",
      "\\u0000", "NaN", "[[[["};
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  for (size_t changes = 1 + below(4); changes > 0; --changes) {
    const size_t at = below(text.size() + 1);
    switch (below(5)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(random());
      break;
    case 1:
      text.insert(at, kTokens[below(kTokens.size())]);
      break;
    case 2:
      text.erase(at, below(8));
      break;
    case 3:
      text.insert(at, text.substr(below(text.size() + 1), below(40)));
      break;
    default:
      text.resize(at);
    }
  }
  return text;
}

TEST(HttpFuzz, DecodersRefuseWithAnErrorAndNeverMore) {
  std::mt19937_64 random(Seed());
  size_t refused = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::string text = Mutate(Corpus()[random() % Corpus().size()], random);
    const size_t json = random() % 4 == 0 ? random() % (text.size() + 1) : text.find('\x01') % (text.size() + 1);
    refused += FuzzInferRequest(text, std::min(json, text.size())) ? 0 : 1;
  }
  EXPECT_GT(refused, 100'000u);
  EXPECT_LT(refused, 300'000u);
}

TEST(HttpFuzz, RawRequestsFitTheirShapeOrAreRefused) {
  std::mt19937_64 random(Seed());
  for (int i = 0; i < 5'000; ++i)
    FuzzRawRequest(std::string(random() % 64, static_cast<char>(random())));
}

TEST(HttpFuzz, RoutesAreTotal) {
  std::mt19937_64 random(Seed());
  const std::vector<std::string> corpus{"/v2/models/a%20b/versions/1/infer?x=%zz", "/v2/repository/models/m/load",
                                        "/v2/health/live", "/v2/systemsharedmemory/region/r/register"};
  for (int i = 0; i < 200'000; ++i)
    FuzzRoute(Mutate(corpus[random() % corpus.size()], random));
}

TEST(HttpFuzz, DecompressionRefusesWithAnErrorAndNeverMore) {
  std::mt19937_64 random(Seed());
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += static_cast<char>(random() % 7);
  const std::span<const std::byte> part = std::as_bytes(std::span(text));
  const std::string corpus[] = {Deflate(HttpCoding::kGzip, {&part, 1}).value(),
                                Deflate(HttpCoding::kDeflate, {&part, 1}).value(), "gzip;q=0.5, deflate"};
  for (int i = 0; i < 20'000; ++i)
    FuzzCoding(Mutate(corpus[random() % 3], random));
}

TEST(HttpFuzz, ChunksMeanTheSameHoweverTheyCome) {
  std::mt19937_64 random(Seed());
  const std::string corpus[] = {"5\r\nhello\r\n0\r\n\r\n",
                                "3;a=b\r\nabc\r\n1\r\nd\r\n000\r\nTrailer: x\r\nY: z\r\n\r\n",
                                "100\r\n" + std::string(256, 'x') + "\r\n0;q=\"1\"\r\n\r\nGET / HTTP/1.1\r\n\r\n"};
  size_t refused = 0;
  for (int i = 0; i < 20'000; ++i)
    refused += FuzzChunked(Mutate(corpus[random() % 3], random)) ? 0 : 1;
  EXPECT_GT(refused, 2'000u);
  EXPECT_LT(refused, 20'000u);
}

class HttpFuzzServer : public HttpServerTest {};

TEST_F(HttpFuzzServer, TheWholeRequestPathAnswersOrClosesAndGoesOn) {
  std::mt19937_64 random(Seed());
  const std::string valid[] = {HttpClient::PostText(kInfer, GoodJson(), "Content-Type: application/json\r\n"),
                               HttpClient::ChunkedText(kInfer, GoodJson(), 30)};
  for (int i = 0; i < 3'000; ++i) {
    HttpClient client = Connect();
    client.Send(Mutate(valid[i % 2], random));
    client.ShutdownWrite();
    const HttpAnswer answer = client.Receive();
    ASSERT_TRUE(answer.status == 0 || (answer.status >= 100 && answer.status < 600)) << i;
  }
  EXPECT_EQ(Post(kInfer, GoodJson()).status, 200);
  EXPECT_TRUE(Eventually([&] { return server_->counters().connections == 0; }, kPatience));
  EXPECT_EQ(core_->budget().used(), 0u);
  EXPECT_EQ(core_->Statistics("app-a", "").value()[0].totals.pending, 0u);
}

} // namespace
} // namespace avocet

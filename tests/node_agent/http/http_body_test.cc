// Bodies as they come in pieces: of known length, chunked, and what is no body at all.
#include "node_agent/http/http_body_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/inference/http_coding.h"

namespace avocet {
namespace {

using boost::beast::flat_buffer;
using testing::HasSubstr;

constexpr std::string_view kChunkedHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";

void Append(flat_buffer& buffer, std::string_view text) {
  const auto place = buffer.prepare(text.size());
  std::memcpy(place.data(), text.data(), text.size());
  buffer.commit(text.size());
}

/// Reads one request that comes in pieces.
struct Reading {
  explicit Reading(HttpLimits some = {}, uint64_t budget_bytes = 1 << 20) : limits(some), budget(budget_bytes) {}

  Status Put(std::string_view text, size_t piece) {
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
      Append(buffer, text.substr(0, piece));
      AVOCET_RETURN_IF_ERROR(Take());
    }
    return {};
  }
  Status Take() {
    if (!is_begun) {
      const auto progress = head.Put(buffer);
      if (progress == HttpHeadReader::Progress::kNeedsMore) return {};
      if (progress == HttpHeadReader::Progress::kRefused) return InvalidArgument(head.refusal().text);
      is_begun = true;
      return body.Begin(head, buffer, limits.max_body_bytes);
    }
    if (body.is_chunked()) return body.TakeChunks(buffer);
    const auto place = body.missing();
    const size_t bytes = std::min(place.size(), buffer.size());
    if (bytes > 0) std::memcpy(place.data(), buffer.data().data(), bytes);
    buffer.consume(bytes);
    return body.Took(bytes);
  }
  std::string text() const { return {reinterpret_cast<const char*>(body.bytes().data()), body.bytes().size()}; }
  std::string left() const { return {static_cast<const char*>(buffer.data().data()), buffer.size()}; }

  const HttpLimits limits;
  ByteBudget budget;
  HttpHeadReader head{HttpSurface::kInference, limits};
  HttpBodyReader body{limits, budget};
  flat_buffer buffer;
  bool is_begun = false;
};

std::string Chunk(std::string_view text) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + std::string(text) + "\r\n";
}

TEST(HttpBodyReader, PutsChunksTogetherHoweverTheyCome) {
  const std::string big(40'000, 'b');
  const std::string request = std::string(kChunkedHead) + "\r\n" + Chunk("one, ") +
                              "5;name=value;quoted=\"a b\"\r\ntwo, \r\n" + "0000a\r\nand three:\r\n" + Chunk(big) +
                              "0\r\nTrailer: x\r\nOther: y\r\n\r\nGET /next";
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{64}, size_t{8192}, request.size()}) {
    Reading reading;
    ASSERT_TRUE(reading.Put(request, piece).ok()) << piece;
    ASSERT_TRUE(reading.body.is_complete()) << piece;
    EXPECT_TRUE(reading.text() == "one, two, and three:" + big) << piece;
    EXPECT_EQ(reading.left(), "GET /next") << "what follows is the next request";
    reading.body.End();
    EXPECT_EQ(reading.budget.used(), 0u);
  }
}

TEST(HttpBodyReader, AnEmptyChunkedBodyMayComeByteByByte) {
  for (const std::string_view last : {"0\r\n\r\n", "0000\r\n\r\n", "0;x=y\r\nTrailer: x\r\n\r\n"}) {
    Reading reading;
    ASSERT_TRUE(reading.Put(std::string(kChunkedHead) + "\r\n" + std::string(last), 1).ok());
    EXPECT_TRUE(reading.body.is_complete()) << last;
    EXPECT_EQ(reading.text(), "");
  }
}

TEST(HttpBodyReader, PutsKnownLengthsIntoTheirPlace) {
  const std::string request =
      "POST / HTTP/1.1\r\nInference-Header-Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcdeGET";
  for (size_t piece = 1; piece <= request.size(); ++piece) {
    Reading reading;
    ASSERT_TRUE(reading.Put(request, piece).ok());
    EXPECT_TRUE(reading.body.is_complete());
    EXPECT_EQ(reading.text(), "abcde");
    EXPECT_EQ(reinterpret_cast<uintptr_t>(reading.body.bytes().data() + 3) % HttpBody::kAlignment, 0u);
    EXPECT_EQ(reading.budget.used(), 5u);
  }
}

TEST(HttpBodyReader, AlignsTheFirstTensorOfAChunkedBody) {
  Reading reading;
  ASSERT_TRUE(reading
                  .Put(std::string(kChunkedHead) + "Inference-Header-Content-Length: 3\r\n\r\n" + Chunk("abc") +
                           Chunk(std::string(100'000, 'x')) + "0\r\n\r\n",
                       1000)
                  .ok());
  ASSERT_TRUE(reading.body.is_complete());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(reading.body.bytes().data() + 3) % HttpBody::kAlignment, 0u);
}

struct WrongBody {
  const char* name;
  std::string rest; ///< behind the fields of a chunked request, without the empty line
  StatusCode code;
  const char* text;
};
void PrintTo(const WrongBody& wrong, std::ostream* out) {
  *out << wrong.name;
}

class HttpBodyReaderRefuses : public testing::TestWithParam<WrongBody> {};

TEST_P(HttpBodyReaderRefuses, AndSaysWhy) {
  for (const size_t piece : {1, 5, 100'000}) {
    HttpLimits limits;
    limits.max_body_bytes = 1000;
    limits.max_header_bytes = 512;
    Reading reading(limits, 3000);
    const Status status = reading.Put(std::string(kChunkedHead) + GetParam().rest, static_cast<size_t>(piece));
    EXPECT_EQ(status.code(), GetParam().code) << piece << ' ' << status.message();
    EXPECT_THAT(status.message(), HasSubstr(GetParam().text));
    reading.body.End();
    EXPECT_EQ(reading.budget.used(), 0u);
  }
}

constexpr auto kInvalid = StatusCode::kInvalidArgument;

INSTANTIATE_TEST_SUITE_P(
    Cases, HttpBodyReaderRefuses,
    testing::Values(
        WrongBody{"no size", "\r\nxyz\r\n", kInvalid, "malformed HTTP"},
        WrongBody{"empty size", "\r\n\r\n\r\n", kInvalid, "malformed HTTP"},
        WrongBody{"negative size", "\r\n-1\r\n", kInvalid, "malformed HTTP"},
        WrongBody{"size beyond 64 bits", "\r\n10000000000000000\r\nx", kInvalid, "malformed HTTP"},
        WrongBody{"chunk longer than its size", "\r\n1\r\nxx\r\n0\r\n\r\n", kInvalid, "malformed HTTP"},
        WrongBody{"bad extension", "\r\n1;=\r\nx\r\n", kInvalid, "malformed HTTP"},
        WrongBody{"endless extension", "\r\n1;a=" + std::string(2000, 'x'), kInvalid, "more than 512 bytes between"},
        WrongBody{"endless trailer", "\r\n0\r\nX: " + std::string(2000, 'x'), kInvalid, "more than 512 bytes between"},
        WrongBody{"bad trailer", "\r\n0\r\nno field\r\n\r\n", kInvalid, "malformed HTTP"},
        WrongBody{"length in the trailer", "\r\n0\r\nContent-Length: 3\r\n\r\n", kInvalid, "malformed HTTP"},
        WrongBody{"one chunk beyond the bound", "\r\n3e9\r\n", StatusCode::kResourceExhausted,
                  "the body is longer than 1000 bytes"},
        WrongBody{"header length beyond the body", "Inference-Header-Content-Length: 3\r\n\r\n0\r\n\r\n", kInvalid,
                  "up to the body's length"},
        WrongBody{"a length as well", "Content-Length: 3\r\n\r\n", kInvalid, "malformed HTTP"},
        WrongBody{"chunked twice", "Transfer-Encoding: chunked\r\n\r\n", kInvalid, "malformed HTTP"}));

TEST(HttpBodyReader, TakesExactlyTheBoundAndNoByteMore) {
  HttpLimits limits;
  limits.max_body_bytes = 1000;
  for (const size_t bytes : {size_t{1000}, size_t{1001}}) {
    Reading reading(limits);
    std::string chunks;
    for (size_t i = 0; i < bytes; ++i)
      chunks += Chunk("x");
    const Status status = reading.Put(std::string(kChunkedHead) + "\r\n" + chunks + "0\r\n\r\n", 100);
    EXPECT_EQ(status.code(), bytes == 1000 ? StatusCode::kOk : StatusCode::kResourceExhausted);
    EXPECT_EQ(reading.body.is_complete(), bytes == 1000);
  }
}

TEST(HttpBodyReader, TakesNoMoreThanTheBudgetHas) {
  Reading reading({}, 100'000);
  ByteBudget::Lease others(reading.budget);
  others.Grow(100'000 - 16'384 - 32'768 + 1); // the first piece is there while the second is filled
  const Status status = reading.Put(std::string(kChunkedHead) + "\r\n" + Chunk(std::string(16'385, 'x')), 1000);
  EXPECT_EQ(status, Unavailable("requests in flight hold 67233 of 100000 bytes, and none is left for 49152 bytes of "
                                "this one; retry"));
}

TEST(HttpBodyReader, WhatCanNeverFitIsRefusedForGood) {
  Reading reading({}, 10 << 20);
  const Status status = reading.Put("POST / HTTP/1.1\r\nContent-Length: 5242881\r\n\r\n", 1000);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("take 5242881 bytes of memory, one may take 5242880 of the 10485760"));
  EXPECT_THAT(status.message(), Not(HasSubstr("retry")));
}

// A head of 60 bytes may announce 64 MiB.
TEST(HttpBodyReader, AnnouncedLengthsReserveNothing) {
  Reading reading({}, 512 << 20);
  ASSERT_TRUE(reading.Put("POST / HTTP/1.1\r\nContent-Length: 67108864\r\n\r\n", 1000).ok());
  EXPECT_EQ(reading.budget.used(), 0u);
  ASSERT_TRUE(reading.Put("123", 1).ok());
  EXPECT_EQ(reading.budget.used(), 3u);
}

TEST(HttpBodyReader, LongBodiesArriveWholeAndInTheirPlace) {
  std::string body(3'000'003, 'x');
  for (size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<char>('a' + i % 23);
  Reading reading({}, 64 << 20);
  const std::string head = "POST / HTTP/1.1\r\nInference-Header-Content-Length: 3\r\nContent-Length: 3000003\r\n\r\n";
  Append(reading.buffer, head + body.substr(0, 5));
  ASSERT_TRUE(reading.Take().ok());
  Append(reading.buffer, body.substr(5));
  while (!reading.body.is_complete())
    ASSERT_TRUE(reading.Take().ok());
  EXPECT_TRUE(reading.text() == body);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(reading.body.bytes().data() + 3) % HttpBody::kAlignment, 0u);
  EXPECT_EQ(reading.budget.used(), body.size());
}

// A chunk that says it will have a megabyte costs nothing before it comes.
TEST(HttpBodyReader, ReservesWhatCameAndNotWhatIsAnnounced) {
  Reading reading({}, 64 << 20);
  ASSERT_TRUE(reading.Put(std::string(kChunkedHead) + "\r\n100000\r\n", 1000).ok());
  EXPECT_EQ(reading.budget.used(), 0u);
  ASSERT_TRUE(reading.Put("x", 1).ok());
  EXPECT_EQ(reading.budget.used(), 16'384u);
  ASSERT_TRUE(reading.Put(std::string(100'000, 'x'), 1000).ok());
  EXPECT_EQ(reading.budget.used(), 131'072u) << "only the largest piece is held";
}

TEST(HttpBodyReader, InflatesWhatCameInChunks) {
  const std::string text = "what was compressed";
  const std::span<const std::byte> part = std::as_bytes(std::span(text));
  const std::string zipped = Deflate(HttpCoding::kGzip, {&part, 1}).value();
  const std::string request = std::string(kChunkedHead) + "Content-Encoding: gzip\r\n\r\n" +
                              Chunk(zipped.substr(0, 9)) + Chunk(zipped.substr(9)) + "0\r\n\r\n";
  Reading reading;
  ASSERT_TRUE(reading.Put(request, 10).ok());
  ASSERT_TRUE(reading.body.is_complete());
  ASSERT_TRUE(reading.body.Inflate().ok());
  EXPECT_EQ(reading.text(), text);
}

TEST(HttpHeadReader, TheBoundOfTheHeadIsExact) {
  const std::string begin = "GET /v2 HTTP/1.1\r\nX: ", end = "\r\n\r\n";
  for (const size_t length : {size_t{1024}, size_t{1025}}) {
    const std::string head = begin + std::string(length - begin.size() - end.size(), 'x') + end;
    for (const size_t piece : {size_t{1}, size_t{100}, head.size()}) {
      HttpLimits limits;
      limits.max_header_bytes = 1024;
      Reading reading(limits);
      const Status status = reading.Put(head + "GET /next", piece);
      EXPECT_EQ(reading.is_begun, length == 1024) << length << ' ' << piece << ' ' << status.message();
      EXPECT_EQ(status.ok(), length == 1024);
      if (length > 1024) {
        EXPECT_EQ(reading.head.refusal().status, 431);
      }
    }
  }
}

TEST(HttpHeadReader, TakesNoOtherTransferCoding) {
  for (const char* coding : {"gzip", "identity", "gzip, chunked", "chunked, gzip", "x"}) {
    Reading reading;
    const Status status = reading.Put("POST / HTTP/1.1\r\nTransfer-Encoding: " + std::string(coding) + "\r\n\r\n", 100);
    EXPECT_THAT(status.message(), HasSubstr("the Transfer-Encoding must be chunked")) << coding;
    EXPECT_EQ(reading.head.refusal().status, 501) << coding;
  }
  Reading old;
  EXPECT_THAT(old.Put("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 100).message(), HasSubstr("HTTP/1.0"));
}

} // namespace
} // namespace avocet

// Compressed bodies: what is accepted, its bounds, and what is not what it says.
#include "node_agent/inference/http_coding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::HasSubstr;

// Of '{"a":1}', by Python's gzip.compress and zlib.compress.
constexpr std::string_view kGzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00\x00", 27);
constexpr std::string_view kDeflate("\x78\x9c\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\x08\x2a\x02\x09", 15);

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

Result<std::string> Inflated(HttpCoding coding, std::string_view text, size_t most = 1024) {
  const auto size = InflatedSize(coding, Bytes(text), most);
  if (!size.ok()) return size.status();
  std::string into(*size, 0);
  AVOCET_RETURN_IF_ERROR(Inflate(coding, Bytes(text), std::as_writable_bytes(std::span(into))));
  return into;
}

std::string Deflated(HttpCoding coding, std::string_view text) {
  const std::span<const std::byte> parts[] = {
      Bytes(text.substr(0, text.size() / 3)), {}, Bytes(text.substr(text.size() / 3))};
  return Deflate(coding, parts).value();
}

TEST(HttpCoding, ReadsWhatOthersCompressed) {
  EXPECT_EQ(Inflated(HttpCoding::kGzip, kGzip).value(), R"({"a":1})");
  EXPECT_EQ(Inflated(HttpCoding::kDeflate, kDeflate).value(), R"({"a":1})");
}

TEST(HttpCoding, WhatIsCompressedComesBack) {
  std::string text;
  for (size_t i = 0; i < 300'000; ++i)
    text += static_cast<char>(i * i % 251);
  for (const HttpCoding coding : {HttpCoding::kGzip, HttpCoding::kDeflate}) {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{65'536}, size_t{131'072}, text.size()})
      EXPECT_TRUE(Inflated(coding, Deflated(coding, text.substr(0, size)), size).value() == text.substr(0, size))
          << size;
  }
}

TEST(HttpCoding, OneByteBeyondTheBoundIsTooMuch) {
  const std::string bomb = Deflated(HttpCoding::kGzip, std::string(1'000'000, 'x'));
  EXPECT_LT(bomb.size(), 10'000u);
  EXPECT_EQ(InflatedSize(HttpCoding::kGzip, Bytes(bomb), 1'000'000).value(), 1'000'000u);
  const Status status = InflatedSize(HttpCoding::kGzip, Bytes(bomb), 999'999).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("longer than 999999 bytes when it is decompressed"));
}

TEST(HttpCoding, WhatIsNotWhatItSaysIsRefused) {
  const std::string text(kGzip);
  for (size_t length = 0; length < text.size(); ++length)
    EXPECT_EQ(Inflated(HttpCoding::kGzip, text.substr(0, length)).status().code(), StatusCode::kInvalidArgument)
        << length;
  std::string damaged = text;
  damaged[damaged.size() - 6] ^= 1; // the checksum
  EXPECT_THAT(Inflated(HttpCoding::kGzip, damaged).status().message(), HasSubstr("the body is not gzip"));
  EXPECT_FALSE(Inflated(HttpCoding::kGzip, kDeflate).ok());
  EXPECT_FALSE(Inflated(HttpCoding::kDeflate, kGzip).ok());
  EXPECT_THAT(Inflated(HttpCoding::kGzip, text + "more").status().message(), HasSubstr("4 bytes follow the end"));
}

TEST(HttpCoding, NamesOfCodings) {
  EXPECT_EQ(ParseCoding(""), HttpCoding::kIdentity);
  EXPECT_EQ(ParseCoding("identity"), HttpCoding::kIdentity);
  EXPECT_EQ(ParseCoding("gzip"), HttpCoding::kGzip);
  EXPECT_EQ(ParseCoding("deflate"), HttpCoding::kDeflate);
  for (const char* other : {"br", "gzip, deflate", "GZIP ", "x"})
    EXPECT_EQ(ParseCoding(other), std::nullopt) << other;
}

TEST(HttpCoding, PrefersWhatTheClientPrefers) {
  for (const auto& [accept, coding] : {std::pair{"", HttpCoding::kIdentity},
                                       {"gzip", HttpCoding::kGzip},
                                       {"deflate, gzip, br", HttpCoding::kDeflate},
                                       {"gzip;q=0.5, deflate;q=0.8", HttpCoding::kDeflate},
                                       {"br;q=1.0, gzip;q=0.2", HttpCoding::kGzip},
                                       {"identity, gzip;q=0.5", HttpCoding::kIdentity},
                                       {"gzip;q=0", HttpCoding::kIdentity},
                                       {"gzip;q=x", HttpCoding::kIdentity},
                                       {"*", HttpCoding::kIdentity},
                                       {" , ;;,gzip ", HttpCoding::kGzip}})
    EXPECT_EQ(PreferredCoding(accept), coding) << accept;
}

} // namespace
} // namespace avocet

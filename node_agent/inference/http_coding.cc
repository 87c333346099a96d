#include "node_agent/inference/http_coding.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <zlib.h>

namespace avocet {
namespace {

constexpr size_t kPiece = 64 * 1024;
// For inflateInit2 and deflateInit2: the largest window, and which of the two headers is around the data.
constexpr int kGzipWindow = MAX_WBITS + 16;
constexpr int kZlibWindow = MAX_WBITS;
constexpr int kMemoryLevel = 8; // zlib's default
/// Of the names in one field.
constexpr size_t kMaxCodings = 16;

int WindowOf(HttpCoding coding) {
  return coding == HttpCoding::kGzip ? kGzipWindow : kZlibWindow;
}

Bytef* In(std::span<const std::byte> bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data())); // zlib does not write there
}

/// A stream that ends itself.
class Stream {
public:
  explicit Stream(int (*end)(z_streamp)) : end_(end) {}
  ~Stream() { end_(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  z_stream z{};

private:
  int (*const end_)(z_streamp);
};

Status Malformed(HttpCoding coding, const z_stream& z) {
  return InvalidArgument("the body is not " + std::string(ToString(coding)) + ": " +
                         (z.msg != nullptr ? z.msg : "it ends too early"));
}

/// zlib counts in 32 bits.
constexpr size_t kMostAtOnce = size_t{1} << 30U;

/// Inflates everything; `room` gives the place for the next bytes, `used` takes how many came.
template <class Room, class Used>
Status InflateAll(HttpCoding coding, std::span<const std::byte> compressed, const Room& room, const Used& used) {
  Stream stream(inflateEnd);
  z_stream& z = stream.z;
  // zlib counts bytes in 32 bits.
  if (compressed.size() > kMostAtOnce) return ResourceExhausted("a compressed body may have 1 GiB");
  if (inflateInit2(&z, WindowOf(coding)) != Z_OK) return Internal("zlib does not start");
  z.next_in = In(compressed);
  z.avail_in = static_cast<uInt>(compressed.size());

  for (;;) {
    // The caller gives room piece by piece and counts what is used, so a small bomb cannot demand a large block.
    const std::span<std::byte> all = room();
    const auto place = all.first(std::min(all.size(), kMostAtOnce));
    z.next_out = reinterpret_cast<Bytef*>(place.data());
    z.avail_out = static_cast<uInt>(place.size());
    const int code = inflate(&z, Z_NO_FLUSH);

    AVOCET_RETURN_IF_ERROR(used(place.size() - z.avail_out));
    if (code == Z_STREAM_END) break;
    if (code != Z_OK) return Malformed(coding, z);
  }

  if (z.avail_in == 0) return {};
  // Further members of gzip are refused: clients send none, and each would need bounds of its own.
  return InvalidArgument(std::to_string(z.avail_in) + " bytes follow the end of the " + std::string(ToString(coding)) +
                         " body");
}

struct Accepted {
  std::string_view name;
  double weight = 1;
};

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// "gzip;q=0.5".
Accepted ReadAccepted(std::string_view text) {
  const size_t semicolon = text.find(';');
  Accepted accepted{Trim(text.substr(0, semicolon))};
  if (semicolon == std::string_view::npos) return accepted;
  const std::string_view parameter = Trim(text.substr(semicolon + 1));
  if (!parameter.starts_with("q=")) return accepted;
  const std::string_view number = parameter.substr(2);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), accepted.weight);
  if (error != std::errc()) accepted.weight = 0;
  return accepted;
}

} // namespace

std::string_view ToString(HttpCoding coding) {
  switch (coding) {
  case HttpCoding::kIdentity:
    return "identity";
  case HttpCoding::kGzip:
    return "gzip";
  case HttpCoding::kDeflate:
    return "deflate";
  }
  return "unknown";
}

std::optional<HttpCoding> ParseCoding(std::string_view text) {
  if (text.empty()) return HttpCoding::kIdentity;
  for (const HttpCoding coding : {HttpCoding::kIdentity, HttpCoding::kGzip, HttpCoding::kDeflate}) {
    if (text == ToString(coding)) return coding;
  }
  return std::nullopt;
}

HttpCoding PreferredCoding(std::string_view accept_encoding) {
  HttpCoding best = HttpCoding::kIdentity;
  double best_weight = 0;
  // A header can name thousands of codings: only the first few are looked at.
  for (size_t i = 0; i < kMaxCodings && !accept_encoding.empty(); ++i) {
    const size_t comma = accept_encoding.find(',');
    const Accepted accepted = ReadAccepted(accept_encoding.substr(0, comma));
    const auto coding = ParseCoding(accepted.name);

    if (!accepted.name.empty() && coding && accepted.weight > best_weight) {
      best = *coding;
      best_weight = accepted.weight;
    }

    accept_encoding = comma == std::string_view::npos ? std::string_view() : accept_encoding.substr(comma + 1);
  }
  return best;
}

Result<size_t> InflatedSize(HttpCoding coding, std::span<const std::byte> compressed, size_t most) {
  std::vector<std::byte> piece(kPiece);
  size_t size = 0;
  const auto count = [&](size_t bytes) -> Status {
    size += bytes;
    if (size <= most) return {};
    return ResourceExhausted("the body is longer than " + std::to_string(most) + " bytes when it is decompressed");
  };
  AVOCET_RETURN_IF_ERROR(InflateAll(
      coding, compressed, [&] { return std::span(piece); }, count));
  return size;
}

Status Inflate(HttpCoding coding, std::span<const std::byte> compressed, std::span<std::byte> into) {
  // One byte beyond the end: zlib looks for the stream's end only while there is room.
  std::byte beyond{};
  const auto room = [&] { return into.empty() ? std::span(&beyond, 1) : into; };
  const auto take = [&](size_t bytes) -> Status {
    if (bytes > into.size()) return Internal("the body became longer than it was");
    into = into.subspan(bytes);
    return {};
  };
  return InflateAll(coding, compressed, room, take);
}

Result<std::string> Deflate(HttpCoding coding, std::span<const std::span<const std::byte>> parts) {
  Stream stream(deflateEnd);
  z_stream& z = stream.z;
  if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, WindowOf(coding), kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
    return Internal("zlib does not start");

  std::string text;
  std::array<char, 16 * 1024> piece; // NOLINT: filled by zlib
  const auto pump = [&](int flush) {
    do {
      z.next_out = reinterpret_cast<Bytef*>(piece.data());
      z.avail_out = piece.size();
      (void)deflate(&z, flush);
      text.append(piece.data(), piece.size() - z.avail_out);
    } while (z.avail_out == 0);
  };

  for (std::span<const std::byte> part : parts) {
    // In steps, as zlib counts its input in 32 bits and a tensor may be larger.
    while (!part.empty()) {
      const auto some = part.first(std::min(part.size(), kMostAtOnce));
      z.next_in = In(some);
      z.avail_in = static_cast<uInt>(some.size());
      pump(Z_NO_FLUSH);
      part = part.subspan(some.size());
    }
  }

  pump(Z_FINISH);
  return text;
}

} // namespace avocet

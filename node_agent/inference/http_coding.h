#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// How an HTTP body or a gRPC message is compressed: content codings of RFC 9110.
enum class HttpCoding { kIdentity, kGzip, kDeflate };
std::string_view ToString(HttpCoding coding); ///< "identity", "gzip", "deflate"

/// Of a Content-Encoding; empty is identity. nullopt for what is not served, several at once included.
std::optional<HttpCoding> ParseCoding(std::string_view text);

/// What an Accept-Encoding prefers of what is served; identity without one.
HttpCoding PreferredCoding(std::string_view accept_encoding);

/// How many bytes the compressed ones become. Allocates nothing for them. kResourceExhausted for more than `most`,
/// kInvalidArgument when they are not what `coding` says.
Result<size_t> InflatedSize(HttpCoding coding, std::span<const std::byte> compressed, size_t most);
/// Fills `into`, which has the size that InflatedSize found.
Status Inflate(HttpCoding coding, std::span<const std::byte> compressed, std::span<std::byte> into);

/// The parts, one behind the other, compressed.
Result<std::string> Deflate(HttpCoding coding, std::span<const std::span<const std::byte>> parts);

} // namespace avocet

#pragma once

#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node_agent/http/http_body_reader.h"
#include "node_agent/http/http_head.h"
#include "node_agent/http/http_infer_request.h"
#include "node_agent/http/http_routes.h"
#include "node_agent/inference/byte_budget.h"
#include "node_agent/inference/http_coding.h"
#include "node_agent/inference/request_parameters.h"
#include "node_agent/tensors/tensor_contents.h"

namespace avocet {

/// Bytes that tensors decoded from JSON may take, in fuzzing.
inline constexpr size_t kFuzzMostDecoded = 4096;

/// Decodes a body whose first `json_bytes` are JSON. False when it is refused, with a text; stops the
/// process when an accepted request is not what the header of DecodeInferRequest promises.
inline bool FuzzInferRequest(std::string_view body, size_t json_bytes) {
  const auto decoded = DecodeInferRequest({std::as_bytes(std::span(body)), json_bytes, kFuzzMostDecoded});
  if (!decoded.ok()) {
    if (decoded.status().message().empty()) std::abort();
    return false;
  }
  for (const TensorView& input : decoded->inputs) {
    if (!CheckContents(input.spec, input.data).ok()) std::abort();
  }
  for (const auto& bytes : decoded->converted) {
    if (bytes.size() > kFuzzMostDecoded + body.size() * 5) std::abort();
  }
  if (decoded->outputs.size() != decoded->are_binary.size()) std::abort();
  (void)TimeoutOf(decoded->parameters);
  return true;
}

/// A raw request to models of every kind of input. Stops the process when an accepted one is not as its shape says.
inline void FuzzRawRequest(std::string_view body) {
  for (const DataType type : {DataType::kUint8, DataType::kFp64, DataType::kBytes}) {
    for (const std::vector<int64_t>& shape : {std::vector<int64_t>{-1}, {3, -1}, {1}, {}, {-1, -1}, {0, -1}}) {
      const auto decoded = DecodeRawRequest(std::as_bytes(std::span(body)), {{TensorSpec{"x", type, shape}}, {}});
      if (!decoded.ok()) continue;
      const TensorView& input = decoded->inputs.at(0);
      if (!CheckContents(input.spec, input.data).ok()) std::abort();
    }
  }
}

/// Bytes that a chunked body may have, in fuzzing.
inline constexpr size_t kFuzzMostChunked = 4096;

/// What a chunked body comes to when it is read in pieces; nullopt when it is refused or not complete.
inline std::optional<std::string> ReadChunked(std::string_view chunks, size_t piece) {
  HttpLimits limits;
  limits.max_body_bytes = kFuzzMostChunked;
  ByteBudget budget(4 * kFuzzMostChunked);
  HttpHeadReader head(HttpSurface::kInference, limits);
  HttpBodyReader body(limits, budget);
  boost::beast::flat_buffer buffer;
  const auto put = [&buffer](std::string_view text) {
    if (!text.empty()) std::memcpy(buffer.prepare(text.size()).data(), text.data(), text.size());
    buffer.commit(text.size());
  };
  put("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  if (head.Put(buffer) != HttpHeadReader::Progress::kDone || !body.Begin(head, buffer, kFuzzMostChunked).ok())
    std::abort();
  while (!chunks.empty() && body.is_chunked()) {
    put(chunks.substr(0, piece));
    chunks.remove_prefix(std::min(piece, chunks.size()));
    if (!body.TakeChunks(buffer).ok()) return std::nullopt;
    if (budget.used() > 3 * kFuzzMostChunked) std::abort();
  }
  if (!body.is_complete()) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(body.bytes().data()), body.bytes().size());
}

/// False when it is refused; stops the process when the pieces in which it comes make a difference, or the bound does
/// not hold.
inline bool FuzzChunked(std::string_view chunks) {
  const auto whole = ReadChunked(chunks, chunks.size());
  if (whole && whole->size() > kFuzzMostChunked) std::abort();
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{64}}) {
    if (ReadChunked(chunks, piece) != whole) std::abort();
  }
  return whole.has_value();
}

inline void FuzzRoute(std::string_view target) {
  const HttpMatch match = MatchRoute(HttpSurface::kInference, "POST", target);
  if (match.status < 200 || match.status > 501) std::abort();
}

/// Bytes that a compressed body may become, in fuzzing.
inline constexpr size_t kFuzzMostInflated = 1 << 16;

/// Stops the process when a body that could be counted cannot be decompressed, or is longer than it may be.
inline void FuzzCoding(std::string_view body) {
  (void)PreferredCoding(body);
  for (const HttpCoding coding : {HttpCoding::kGzip, HttpCoding::kDeflate}) {
    const auto bytes = std::as_bytes(std::span(body));
    const auto size = InflatedSize(coding, bytes, kFuzzMostInflated);
    if (!size.ok()) continue;
    std::vector<std::byte> into(*size);
    if (*size > kFuzzMostInflated || !Inflate(coding, bytes, into).ok()) std::abort();
  }
}

} // namespace avocet

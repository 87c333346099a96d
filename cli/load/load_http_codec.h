#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/load/load_transport.h"
#include "messages/status.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// A POST of the Open Inference Protocol over HTTP/1.1, with the binary tensor extension both ways,
/// ready but for its id.
struct HttpPayload {
  std::string head; ///< request line, fields, the JSON part
  size_t id_at = 0; ///< where in `head` the id's kHttpIdDigits digits stand
  std::vector<std::string> tensors;
};
inline constexpr size_t kHttpIdDigits = 20;

/// `host` is the server's host:port.
HttpPayload EncodeHttp(LoadPayload payload, std::string_view host);
/// Writes an id into (a copy of) a payload's head.
void SetId(std::string& head, size_t id_at, uint64_t id);

/// The path below which an application's routes are.
std::string ModelPath(const AppId& app);

/// Decodes the response to the request `id`. `json` is the JSON part of the body, or the whole body. Any
/// HTTP status but 200 is a failure, with the server's message where there is one.
LoadAnswer DecodeHttp(unsigned http_status, std::string_view json, uint64_t id);

/// Inputs out of the metadata of a model.
Result<std::vector<TensorSpec>> DecodeInputSpecs(unsigned http_status, std::string_view json);

} // namespace avocet

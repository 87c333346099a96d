// libFuzzer's entry for the decoders of the REST endpoint: the first two bytes say where the JSON ends.
#include "tests/node_agent/http/http_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t json_bytes = (data[0] * 256U + data[1]) % (body.size() + 1);
  avocet::FuzzInferRequest(body, json_bytes);
  avocet::FuzzRoute(body.substr(0, json_bytes));
  avocet::FuzzCoding(body);
  avocet::FuzzChunked(body);
  avocet::FuzzRawRequest(body);
  return 0;
}

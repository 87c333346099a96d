#pragma once

#include <memory>
#include <string>
#include <vector>

#include "node_agent/grpc/inference_server.h"
#include "node_agent/http/http_server.h"
#include "node_agent/inference/inference_core.h"
#include "node_agent/inference/router.h"
#include "node_agent/scheduling/device_scheduler.h"

namespace avocet::bench {

inline constexpr size_t kReplyBytes = 4096; ///< of every answer

/// "noop:1": any UINT8[-1] in, UINT8[4096] out.
std::unique_ptr<LoadedModel> MakeNoOpModel();

/// A node with one application, "noop", of "noop:1" on an engine that does nothing.
class NoOpNode {
public:
  /// A device pinned to these cores; none: one whose short runs the transport's thread makes itself.
  explicit NoOpNode(std::vector<int> cores);
  InferenceCore& core() { return *core_; }
  const std::shared_ptr<InferenceCore>& shared_core() { return core_; }

private:
  std::shared_ptr<DeviceScheduler> device_;
  std::shared_ptr<Router> router_;
  std::shared_ptr<InferenceCore> core_;
};

/// The floor over HTTP: Beast reads the header, the body goes straight into its buffer, one write
/// answers. One thread, nothing else.
class HttpEcho {
public:
  HttpEcho();
  ~HttpEcho();
  std::string address() const;

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The floor over gRPC: a callback service with the protocol's messages that answers at once.
class GrpcEcho {
public:
  GrpcEcho();
  ~GrpcEcho();
  std::string address() const;

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet::bench

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/load/load_client.h"
#include "messages/ids.h"
#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/tensors/tensor.h"

namespace avocet {

/// What every request to one application carries.
struct LoadPayload {
  struct Input {
    TensorSpec spec;
    std::string bytes; ///< raw, little-endian
  };
  AppId app;
  std::vector<Input> inputs;
};

/// One request in flight. Its owner keeps it where it is until it is answered.
struct LoadCall {
  uint64_t id = 0; ///< goes out with the request; the answer must bring it back
  size_t target = 0;
  Duration intended{};  ///< when it was due, since the start of the run
  MonotonicTime sent{}; ///< when it went to the network; set by the transport
};

struct LoadAnswer {
  Status status;
  bool emulated = false;
  std::optional<Duration> server_response; ///< response time that the server reported
};

/// A client of the Open Inference Protocol that has any number of requests in flight. Payloads are
/// encoded once; of a request only its id is made anew. Thread-safe but for Start().
class LoadTransport {
public:
  /// Called exactly once for each call sent, on the transport's thread, never within Send().
  using OnAnswer = std::function<void(LoadCall&, LoadAnswer)>;

  /// Gives up what is in flight; those calls are answered kCancelled before it returns.
  virtual ~LoadTransport() = default;

  /// Blocks. kNotFound when the application is not served, kUnsupported for unknown datatypes.
  virtual Result<std::vector<TensorSpec>> InputsOf(const AppId& app) = 0;
  /// Once, before the first Send(). A call's `target` is a place in `payloads`.
  virtual void Start(std::vector<LoadPayload> payloads, OnAnswer on_answer) = 0;
  virtual void Send(LoadCall& call) = 0;
};

/// Both fail with kUnavailable when no server answers at the address within the connect deadline, or when its
/// certificate is not from the CA; with kNotFound or kInvalidArgument when the CA's file cannot be read.
Result<std::unique_ptr<LoadTransport>> ConnectGrpc(const LoadClientOptions& options);
Result<std::unique_ptr<LoadTransport>> ConnectHttp(const LoadClientOptions& options);

// Errors that both transports report.
Status NoServerAnswers(const LoadClientOptions& options);
Status UnknownDataType(const std::string& input, const std::string& datatype);
Status WrongId(uint64_t sent, const std::string& answered);

} // namespace avocet

#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/interfaces.h"
#include "actors/options.h"
#include "actors/wire/link_options.h"
#include "node_agent/grpc/inference_server.h"
#include "node_agent/heap_trimmer.h"
#include "node_agent/http/http_server.h"
#include "node_agent/inference/inference_core.h"
#include "node_agent/node.h"

namespace avocet {

class AgentLink;

struct AgentProcessOptions {
  NodeId id;
  std::filesystem::path data_dir = "/var/lib/avocet/agent"; ///< db/, models/ and endpoints.json below it
  std::filesystem::path prefix = "/opt/avocet";
  std::vector<DeviceSpec> devices;
  std::string advertise_address; ///< host:port of gRPC, and the host of REST, for clients; empty: as they are bound
  double core_speed = 1;         ///< as NodeInfo::core_speed
  InferenceServerOptions inference;
  HttpServerOptions http;
  InferenceCoreOptions core;            ///< `server_version` is filled in
  std::map<std::string, size_t> queues; ///< requests that may wait for a device, by its name; absent: the default
  std::filesystem::path nvml_library = "libnvidia-ml.so.1"; ///< a path, or what the system's loader finds
  AgentActorOptions agent;
};

/// A whole agent inside this process: engines, schedulers, inference endpoints, actors. It serves its
/// cached plan whether or not a controller is there.
class AgentProcess {
public:
  static Result<std::unique_ptr<AgentProcess>> Start(caf::actor_system& system, const AgentProcessOptions& options);
  ~AgentProcess();
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;

  /// Gives the agent its controller; it registers at once. Model files are fetched from it.
  void Connect(const agent_link_actor& controller);
  /// Instead: a controller in another process, by its address. Reconnects by itself.
  void Link(const LinkConnectionOptions& controller);
  const agent_actor& actor() const { return actor_; }
  std::string inference_address() const { return server_->address(); }
  std::string rest_address() const { return http_->rest_address(); }
  std::string metrics_address() const { return http_->metrics_address(); }
  /// Endpoints first (in-flight requests are answered), then the actors and the link, then the devices.
  void Stop();

private:
  struct Fetcher;
  AgentProcess(caf::actor_system& system, std::unique_ptr<Node> node);
  void FetchFrom(const agent_link_actor& controller);
  Status StartEndpoints(const AgentProcessOptions& options);
  void StopEndpoints();
  caf::actor_system& system_;
  std::shared_ptr<Node> node_;
  std::shared_ptr<Fetcher> fetcher_;
  std::shared_ptr<InferenceCore> core_;
  HeapTrimmer trimmer_;
  std::unique_ptr<InferenceServer> server_;
  std::unique_ptr<HttpServer> http_;
  agent_actor actor_;
  std::unique_ptr<AgentLink> link_;
  bool stopped_ = false;
};

} // namespace avocet

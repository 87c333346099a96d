#include "cli/commands/local_cluster.h"

#include <atomic>

#include "actors/actor_system.h"
#include "actors/agent/agent_process.h"
#include "actors/controller/controller_process.h"
#include "cli/config/inference_options.h"
#include "cli/process/probe_devices.h"

namespace avocet {

struct LocalCluster::Impl {
  ActorSystemConfig config;
  caf::actor_system system{config};
  std::unique_ptr<ControllerProcess> controller;
  std::unique_ptr<AgentProcess> agent;
  std::shared_ptr<std::atomic<bool>> alive = std::make_shared<std::atomic<bool>>(true);

  ~Impl() { Stop(); }

  Status Start(const LocalClusterOptions& options) {
    AVOCET_ASSIGN_OR_RETURN(auto devices, ProbeDevices(options.config.agent));
    AVOCET_RETURN_IF_ERROR(StartController(options));
    AVOCET_RETURN_IF_ERROR(StartAgent(options, std::move(devices)));
    for (const caf::actor& root :
         {caf::actor_cast<caf::actor>(controller->actor()), caf::actor_cast<caf::actor>(agent->actor())})
      root->attach_functor([alive = alive](const caf::error&) { *alive = false; });
    agent->Connect(controller->actor());
    return {};
  }

  Status StartController(const LocalClusterOptions& options) {
    ControllerProcessOptions process{.data_dir = options.data_dir / "controller", .control = {}, .controller = {}};
    process.control.address = options.config.listen;
    process.control.tls = options.config.agent.tls;
    process.controller.policy = options.config.policy;
    process.controller.role = "dev";
    AVOCET_ASSIGN_OR_RETURN(auto started, ControllerProcess::Start(system, process));
    controller = std::move(started);
    return {};
  }

  Status StartAgent(const LocalClusterOptions& options, std::vector<DeviceSpec> devices) {
    AgentProcessOptions process{.id = NodeId(options.config.agent.name),
                                .data_dir = options.data_dir / "agent",
                                .prefix = options.prefix,
                                .devices = std::move(devices),
                                .advertise_address = options.config.agent.advertise_address,
                                .core_speed = options.config.agent.core_speed,
                                .inference = GrpcOptions(options.config.agent.inference),
                                .http = HttpOptions(options.config.agent.inference),
                                .core = CoreOptions(options.config.agent.inference),
                                .queues = QueuesOf(options.config.agent),
                                .agent = {}};
    AVOCET_ASSIGN_OR_RETURN(auto started, AgentProcess::Start(system, process));
    agent = std::move(started);
    return {};
  }

  /// The agent first: its last measurements still reach the controller.
  void Stop() {
    if (agent != nullptr) agent->Stop();
    if (controller != nullptr) controller->Stop();
    agent.reset();
    controller.reset();
  }
};

LocalCluster::LocalCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalCluster::~LocalCluster() = default;

Result<std::unique_ptr<LocalCluster>> LocalCluster::Start(const LocalClusterOptions& options) {
  auto impl = std::make_unique<Impl>();
  AVOCET_RETURN_IF_ERROR(impl->Start(options));
  return std::unique_ptr<LocalCluster>(new LocalCluster(std::move(impl)));
}

std::string LocalCluster::control_address() const {
  return impl_->controller->address();
}

std::string LocalCluster::inference_address() const {
  return impl_->agent->inference_address();
}

std::string LocalCluster::rest_address() const {
  return impl_->agent->rest_address();
}

std::string LocalCluster::metrics_address() const {
  return impl_->agent->metrics_address();
}

bool LocalCluster::alive() const {
  return *impl_->alive;
}

void LocalCluster::Stop() {
  impl_->Stop();
}

} // namespace avocet

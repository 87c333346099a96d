#include "actors/agent/agent_process.h"

#include <mutex>
#include <thread>

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/agent/agent_actor.h"
#include "actors/agent/agent_records.h"
#include "actors/ask.h"
#include "actors/endpoints_file.h"
#include "actors/stop.h"
#include "actors/store_actor.h"
#include "actors/wire/link_client.h"
#include "messages/address.h"
#include "messages/tls/tls_files.h"
#include "node_agent/boot_id.h"
#include "node_agent/http/metrics_text.h"

namespace avocet {
namespace {

constexpr Duration kStopDeadline = std::chrono::seconds(15);
/// For one piece of a model file.
constexpr Duration kFetchDeadline = std::chrono::seconds(30);

} // namespace

/// Fetches model files from whichever controller is known; called by the device workers' threads.
struct AgentProcess::Fetcher {
  caf::actor_system& system;
  std::mutex mutex;
  agent_link_actor controller;

  explicit Fetcher(caf::actor_system& actor_system) : system(actor_system) {}

  Result<std::string> Fetch(const Sha256& file, uint64_t offset) {
    agent_link_actor target;
    {
      const std::lock_guard lock(mutex);
      target = controller;
    }
    if (!target) return Unavailable("no controller to fetch model file " + file.str() + " from");
    auto chunk = AskAndWait<ModelChunk>(system, target, FetchModel{file, offset}, kFetchDeadline, "controller");
    if (!chunk.ok()) return chunk.status();
    return std::move(chunk->data);
  }
};

AgentProcess::AgentProcess(caf::actor_system& system, std::unique_ptr<Node> node)
    : system_(system), node_(std::move(node)), fetcher_(std::make_shared<Fetcher>(system)) {}

AgentProcess::~AgentProcess() {
  Stop();
}

namespace {

/// `nvml` is null where there is no NVIDIA driver; `grpc` outlives the page.
MetricsPage MetricsOf(const std::shared_ptr<Node>& node, const std::shared_ptr<InferenceCore>& core,
                      const std::shared_ptr<const Nvml>& nvml, const InferenceServer& grpc) {
  return [node, core, nvml, &grpc](const HttpCounters& counters) {
    MetricsSnapshot snapshot;
    if (nvml) snapshot.gpus = ReadGpus(*nvml);
    if (auto apps = core->Statistics("", ""); apps.ok()) snapshot.apps = std::move(*apps);
    snapshot.devices = node->DeviceStates();
    snapshot.refusals = core->refusals();
    snapshot.bytes_in_flight = core->budget().used();
    snapshot.http_connections = counters.connections;
    snapshot.http_refused_connections = counters.refused;
    snapshot.http_evicted_connections = counters.evicted;
    snapshot.http_slow_connections = counters.slow;
    snapshot.grpc_connections = grpc.connections().connections;
    snapshot.grpc_refused_connections = grpc.connections().refused;
    snapshot.grpc_slow_calls = grpc.slow_calls();
    return MetricsText(snapshot);
  };
}

void WarnOfPlaintext(const AgentProcessOptions& options, const std::vector<std::string>& addresses) {
  if (!options.inference.plaintext && !options.http.plaintext) return;
  for (const std::string& text : addresses) {
    const auto address = ParseAddress(text);
    if (address.ok() && !IsLoopback(*address))
      spdlog::warn("serving without encryption beyond this machine address={}", text);
  }
}

/// Clients that check the certificate would turn away: said at once, where an operator looks, not at the first camera.
void WarnOfUncoveredHost(const AgentProcessOptions& options, const std::string& bound) {
  if (!options.inference.tls) return;
  const std::string known = options.advertise_address.empty() ? bound : options.advertise_address;
  const auto address = ParseAddress(known);
  const bool is_any = address.ok() && (address->host == "0.0.0.0" || address->host == "::");
  if (!address.ok() || is_any) return;

  const auto pem =
      ReadServerPem(options.inference.tls->certificate, options.inference.tls->key, std::chrono::system_clock::now());
  if (pem.ok() && !CertificateCovers(pem->certificate, address->host))
    spdlog::warn("the certificate does not cover the address that clients are told address={} certificate={} "
                 "remedy=\"avocet tls issue --role agent {} --force --host {}\"",
                 known, options.inference.tls->certificate.string(), options.id.str(), address->host);
}

std::shared_ptr<const DeviceDriver> DriverOf(const std::shared_ptr<Node>& node, const ModelFiles::Fetch& fetch) {
  return std::make_shared<const DeviceDriver>(DeviceDriver{
      .announce = [node](const Command& command) { node->Announce(command); },
      .start = [node, fetch](const Command& command) { return node->Start(command, fetch); },
      .stop = [node](const Command& command) { return node->Stop(command); },
      .profile =
          [node, fetch](const ProfileOnDevice& order) {
            return node->ProfileModel(order.device, order.model, order.variant, order.samples, fetch);
          },
  });
}

/// The endpoint's port on the host that clients know.
std::string Advertised(const std::string& endpoint, const std::string& advertise_address) {
  const auto bound = ParseAddress(endpoint), known = ParseAddress(advertise_address);
  return bound.ok() && known.ok() ? WithPort(advertise_address, bound->port) : endpoint;
}

NodeInfo Introduce(const AgentProcessOptions& options, const BootId& boot, const std::string& grpc,
                   const std::string& rest) {
  return {.id = options.id,
          .boot = boot,
          .version = AVOCET_VERSION,
          .grpc_address = options.advertise_address.empty() ? grpc : options.advertise_address,
          .rest_address = Advertised(rest, options.advertise_address),
          .cpu_cores = std::max(1U, std::thread::hardware_concurrency()),
          .devices = options.devices,
          .core_speed = options.core_speed};
}

} // namespace

Status AgentProcess::StartEndpoints(const AgentProcessOptions& options) {
  InferenceCoreOptions core = options.core;
  core.server_version = AVOCET_VERSION;
  core_ = std::make_shared<InferenceCore>(std::move(core), node_->router());
  AVOCET_ASSIGN_OR_RETURN(auto server, InferenceServer::Start(options.inference, core_));
  server_ = std::move(server);
  const auto nvml = Nvml::Open(options.nvml_library);
  auto http = HttpServer::Start(options.http, core_, MetricsOf(node_, core_, nvml.ok() ? *nvml : nullptr, *server_));
  if (!http.ok()) return http.status();
  http_ = std::move(*http);
  core_->SetReady(true);
  WarnOfPlaintext(options, {inference_address(), rest_address(), metrics_address()});
  WarnOfUncoveredHost(options, inference_address());
  return WriteEndpoints(options.data_dir,
                        {{"grpc", inference_address()}, {"rest", rest_address()}, {"metrics", metrics_address()}});
}

Result<std::unique_ptr<AgentProcess>> AgentProcess::Start(caf::actor_system& system,
                                                          const AgentProcessOptions& options) {
  const BootId boot = NewBootId();
  AVOCET_ASSIGN_OR_RETURN(auto records, OpenAgentRecords(options.data_dir));
  auto node = Node::Open({.id = options.id,
                          .boot = boot,
                          .devices = options.devices,
                          .prefix = options.prefix,
                          .files = {.directory = options.data_dir / "models"},
                          .queues = options.queues});
  if (!node.ok()) return node.status();
  std::unique_ptr<AgentProcess> agent(new AgentProcess(system, std::move(*node)));
  AVOCET_RETURN_IF_ERROR(agent->StartEndpoints(options));
  auto args = std::make_shared<AgentActorArgs>();
  args->node = Introduce(options, boot, agent->inference_address(), agent->rest_address());
  args->instance = records.instance;
  args->plan = std::move(records.plan);
  args->highest_epoch = records.highest_epoch;
  args->cluster = records.cluster;
  args->driver = DriverOf(agent->node_, [fetcher = agent->fetcher_](const Sha256& file, uint64_t offset) {
    return fetcher->Fetch(file, offset);
  });
  args->close_windows = [node = agent->node_] { return node->CloseWindows(); };
  args->show_predictions = [node = agent->node_](SetPredictions predictions) {
    node->SetPredictions(predictions.device, std::move(predictions.apps), std::move(predictions.objectives));
  };
  args->options = options.agent;
  args->options.data_dir = options.data_dir;
  args->store = SpawnStore(system, std::move(records.store), std::nullopt, options.agent.detached_workers);
  agent->actor_ = system.spawn(AgentBehavior, std::shared_ptr<const AgentActorArgs>(args));
  spdlog::info("agent started node={} grpc={} rest={} metrics={} devices={}", options.id.str(),
               agent->inference_address(), agent->rest_address(), agent->metrics_address(), options.devices.size());
  return agent;
}

void AgentProcess::FetchFrom(const agent_link_actor& controller) {
  const std::lock_guard lock(fetcher_->mutex);
  fetcher_->controller = controller;
}

void AgentProcess::Connect(const agent_link_actor& controller) {
  FetchFrom(controller);
  caf::anon_send(actor_, ConnectTo{controller});
}

void AgentProcess::Link(const LinkConnectionOptions& controller) {
  link_ = std::make_unique<AgentLink>(system_, controller, actor_);
  FetchFrom(link_->controller());
}

/// Both at once: neither goes on serving while the other waits for its last requests.
void AgentProcess::StopEndpoints() {
  std::thread rest([this] {
    if (http_ != nullptr) http_->Stop();
  });
  if (server_ != nullptr) server_->Stop();
  rest.join();
}

void AgentProcess::Stop() {
  if (stopped_) return;
  stopped_ = true;
  if (core_ != nullptr) core_->SetReady(false);
  StopEndpoints();
  if (!actor_) return;
  if (auto status = StopAndWait(system_, actor_, kStopDeadline); !status.ok())
    spdlog::warn("agent did not stop in order reason=\"{}\"", status.message());
  actor_ = nullptr;
  if (link_ != nullptr) link_->Stop();
}

} // namespace avocet

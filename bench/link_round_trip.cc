#include <algorithm>
#include <iostream>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>

#include "actors/actor_system.h"
#include "actors/agent/agent_actor.h"
#include "actors/ask.h"
#include "actors/controller/controller_process.h"
#include "actors/store_actor.h"
#include "actors/wire/link_client.h"
#include "messages/tls/tls_authority.h"
#include "node_agent/boot_id.h"
#include "node_agent/model_files.h"
#include "storage/memory_store.h"

// Controller -> agent -> controller over mutual TLS: the controller is asked to profile a model on an agent whose
// device answers at once, so that what is left is the order down the link, the answer up, and one synced write
// of the profile. Prints percentiles in microseconds.
//
// usage: link_round_trip FOLDER [ROUNDS]     (FOLDER: empty; certificates and records go there)
namespace avocet {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Duration kPatience = std::chrono::seconds(30);

NodeInfo Node() {
  NodeInfo node{.id = NodeId("edge-1"), .boot = NewBootId(), .version = "bench", .grpc_address = "", .devices = {}};
  node.devices.push_back({.node = node.id,
                          .name = "gpu0",
                          .kind = DeviceKind::kGpu,
                          .discipline = Discipline::kTimeShared,
                          .engine = EngineKind::kEmulated,
                          .type = "gpu/emulated",
                          .memory_bytes = 1024 * kMiB,
                          .cores = {}});
  return node;
}

Result<Profile> AtOnce(const ProfileOnDevice& order) {
  return Profile{.model = order.model,
                 .format = order.variant.format,
                 .device_type = "gpu/emulated",
                 .service_mean = std::chrono::milliseconds(10),
                 .memory_bytes = kMiB,
                 .runs = 5,
                 .emulated = true};
}

agent_actor SpawnAgent(caf::actor_system& system) {
  auto args = std::make_shared<AgentActorArgs>();
  args->node = Node();
  args->store = SpawnStore(system, std::make_unique<MemoryStore>(), std::nullopt, true);
  args->driver = std::make_shared<const DeviceDriver>(DeviceDriver{.start = [](const Command&) { return Status(); },
                                                                   .stop = [](const Command&) { return Status(); },
                                                                   .profile = AtOnce});
  args->close_windows = [] { return std::vector<MeasurementWindow>(); };
  return system.spawn(AgentBehavior, std::shared_ptr<const AgentActorArgs>(args));
}

Result<TlsOptions> Issue(const std::filesystem::path& folder, Role role, const std::string& name) {
  auto issued = IssueCertificate({.directory = folder,
                                  .identity = {role, name},
                                  .hosts = {},
                                  .days = 1,
                                  .force = true,
                                  .now = std::chrono::system_clock::now()});
  if (!issued.ok()) return issued.status();
  return issued->files;
}

template <class Reply, class Message>
Reply Ask(caf::actor_system& system, ControllerProcess& process, Message message) {
  auto reply = AskAndWait<Reply>(system, process.actor(), std::move(message), kPatience, "controller");
  if (!reply.ok()) throw std::runtime_error(reply.status().ToString());
  return std::move(*reply);
}

/// Until the agent's node is there.
void WaitForAgent(caf::actor_system& system, ControllerProcess& process) {
  while (Ask<NodeList>(system, process, ListNodes{}).nodes.empty())
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

void Import(caf::actor_system& system, ControllerProcess& process) {
  const std::string bytes = "a model file";
  const Sha256 file = Sha256Of(bytes);
  Ask<ModelChunkStored>(system, process, PutModelChunk{file, 0, bytes.size(), bytes});
  Ask<Model>(system, process,
             ImportModel{{.name = "pose", .variants = {{ModelFormat::kEmulated, file, bytes.size()}}}});
}

int Run(const std::filesystem::path& folder, int rounds) {
  spdlog::set_level(spdlog::level::err);
  const auto authority = CreateAuthority({.directory = folder / "tls", .now = std::chrono::system_clock::now()});
  const auto server = Issue(folder / "tls", Role::kController, "main");
  const auto client = Issue(folder / "tls", Role::kAgent, "edge-1");
  if (!authority.ok() || !server.ok() || !client.ok())
    throw std::runtime_error("no certificates in " + folder.string());
  ActorSystemConfig config{2};
  caf::actor_system system{config};
  ControllerProcessOptions options{.data_dir = folder / "controller", .control = {}, .controller = {}};
  options.control.address = "127.0.0.1:0";
  options.control.tls = *server;
  auto process = ControllerProcess::Start(system, options);
  if (!process.ok()) throw std::runtime_error(process.status().ToString());
  const auto agent = SpawnAgent(system);
  AgentLink link(system, LinkConnectionOptions{.address = (*process)->address(), .tls = *client}, agent);
  WaitForAgent(system, **process);
  Import(system, **process);
  std::vector<double> us;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = Clock::now();
    Ask<ProfileList>(system, **process, ProfileModel{"pose", MakeDeviceId(NodeId("edge-1"), "gpu0")});
    us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  std::sort(us.begin(), us.end());
  const auto at = [&us](double p) { return us[static_cast<size_t>(p * static_cast<double>(us.size() - 1))]; };
  std::cout << "round trip with one synced write, us: p50 " << at(0.5) << " (goal: below 1000)  p90 " << at(0.9)
            << "  p99 " << at(0.99) << std::endl;
  std::_Exit(0); // an orderly end measures nothing
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: link_round_trip FOLDER [ROUNDS]\n";
    return 64;
  }
  try {
    return avocet::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 2000);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>

#include "actors/protocol/window_buffer.h"
#include "actors/wire/link_codec.h"
#include "actors/wire/link_connection.h"
#include "actors/wire/link_loop.h"
#include "messages/tls/tls_authority.h"
#include "node_agent/boot_id.h"

// Many agents in one process against one controller, each with a connection, a certificate and a window
// buffer of its own, and with a device whose windows look like a busy one's; they share two threads that wait on the
// network. Run by bench/link.
//
// usage: link_agents CONTROLLER AGENTS WINDOWS_PER_SECOND SECONDS AUTHORITY
// Prints a line when all are welcome (again), and totals at the end.
namespace avocet {
namespace {

using Clock = std::chrono::steady_clock;

struct Setting {
  std::string controller;
  int agents = 0;
  double windows_per_second = 0; ///< of each
  double seconds = 0;
  std::filesystem::path authority; ///< of `avocet tls init`; certificates for the agents are issued below it
};

struct Totals {
  std::atomic<int> welcome = 0; ///< sessions that are open and welcome now
  std::atomic<uint64_t> sent = 0;
  std::atomic<uint64_t> bytes = 0; ///< of the windows sent, as encoded
  std::atomic<uint64_t> requests = 0;

  void Lost(const Status& why) {
    const std::lock_guard lock(mutex);
    ++lost[why.message()];
  }
  std::mutex mutex;
  std::map<std::string, uint64_t> lost; ///< sessions and attempts that ended, by reason
};

/// Response times scatter as a queue's do; `random` is seeded by the agent's number, so runs repeat.
MeasurementWindow BusyWindow(const NodeId& node, const BootId& boot, uint64_t sequence, std::mt19937_64& random) {
  std::exponential_distribution<double> wait(1 / 0.008);
  MeasurementWindow window{.device = MakeDeviceId(node, "gpu0"),
                           .boot = boot,
                           .sequence = sequence,
                           .length = std::chrono::milliseconds(200),
                           .busy = std::chrono::milliseconds(80),
                           .apps = {}};
  for (const std::string name : {"door", "gate", "lane"}) {
    AppWindow app{.app = AppId(name + "-" + node.str()), .model = MakeModelId("resnet18", "1")};
    for (int i = 0; i < 4; ++i) {
      const double service = 0.010 + 0.001 * i;
      ++app.arrivals;
      ++app.completions;
      app.interarrival.Add(0.05);
      app.service.Add(service);
      const double response = service + wait(random);
      app.response.Add(response);
      app.response_sketch.Add(FromSeconds(response));
    }
    window.apps.push_back(std::move(app));
  }
  return window;
}

/// One agent: says hello, sends windows, keeps them until they are acknowledged, answers every request.
class Agent {
public:
  Agent(const Setting& setting, int number, Totals& totals, const std::shared_ptr<LinkLoop>& loop)
      : node_(NodeId("edge-" + std::to_string(number))), boot_(NewBootId()), totals_(totals),
        random_(static_cast<uint64_t>(number)), connection_(Options(setting, number), loop) {}

  void Begin() {
    connection_.Begin({.up = [this] { SayHello(); },
                       .said = [this](const v1::ControllerMessage& message) { Heard(message); },
                       .down = [this](const Status& why) { Lost(why); }});
  }

  /// Closes a window and sends what is due; `alive` now and then.
  void Tick(bool alive) {
    const std::lock_guard lock(mutex_);
    buffer_.Push(BusyWindow(node_, boot_, ++sequence_, random_));
    if (!welcome_) return;
    if (alive) SendAlive();
    v1::AgentMessage message;
    const auto windows = buffer_.TakeToSend(Clock::now());
    for (const auto& window : windows)
      *message.mutable_windows()->add_windows() = ToProto(window);
    const uint64_t bytes = message.windows().ByteSizeLong();
    if (!windows.empty() && connection_.Send(std::move(message))) {
      totals_.sent += windows.size();
      totals_.bytes += bytes;
    }
  }

  void Stop() { connection_.Stop(); }
  size_t unacknowledged() {
    const std::lock_guard lock(mutex_);
    return buffer_.size();
  }
  uint64_t dropped() {
    const std::lock_guard lock(mutex_);
    return buffer_.dropped();
  }

private:
  static LinkConnectionOptions Options(const Setting& setting, int number) {
    LinkConnectionOptions options;
    options.address = setting.controller;
    options.seed = static_cast<uint64_t>(number);
    const auto files = setting.authority / ("agent-edge-" + std::to_string(number));
    options.tls = TlsOptions{files / "ca.pem", files / "cert.pem", files / "key.pem"};
    return options;
  }

  void SayHello() {
    LinkHello hello;
    hello.node = {.id = node_, .boot = boot_, .version = "bench", .grpc_address = "", .devices = {}};
    hello.node.devices.push_back({.node = node_,
                                  .name = "gpu0",
                                  .kind = DeviceKind::kGpu,
                                  .discipline = Discipline::kTimeShared,
                                  .engine = EngineKind::kEmulated,
                                  .type = "gpu/emulated",
                                  .memory_bytes = 3964 * kMiB,
                                  .cores = {}});
    v1::AgentMessage message;
    *message.mutable_hello() = ToProto(hello);
    connection_.Send(std::move(message));
  }

  void SendAlive() {
    v1::AgentMessage message;
    message.mutable_alive();
    connection_.Send(std::move(message));
  }

  void Heard(const v1::ControllerMessage& message) {
    const std::lock_guard lock(mutex_);
    if (message.has_welcome()) {
      connection_.Welcomed();
      if (!std::exchange(welcome_, true)) ++totals_.welcome;
      buffer_.SendAgain();
    } else if (message.has_register_again()) {
      SayHello();
    } else if (message.has_request()) {
      ++totals_.requests;
      v1::AgentMessage answer;
      *answer.mutable_answer() = ToProto(LinkAnswer{});
      answer.mutable_answer()->set_id(message.request().id());
      connection_.Send(std::move(answer));
    } else if (message.has_ack()) {
      if (const auto ack = FromProto(message.ack()); ack.ok())
        buffer_.Acknowledge(ack->device, ack->boot, ack->sequence);
    }
  }

  void Lost(const Status& why) {
    totals_.Lost(why);
    const std::lock_guard lock(mutex_);
    if (std::exchange(welcome_, false)) --totals_.welcome;
  }

  NodeId node_;
  BootId boot_;
  Totals& totals_;
  std::mutex mutex_;
  WindowBuffer buffer_{{}};
  uint64_t sequence_ = 0;
  std::mt19937_64 random_;
  bool welcome_ = false;
  LinkConnection connection_; // last: its threads call the functions above
};

Status IssueAll(const Setting& setting) {
  for (int number = 0; number < setting.agents; ++number) {
    const auto issued = IssueCertificate({.directory = setting.authority,
                                          .identity = {Role::kAgent, "edge-" + std::to_string(number)},
                                          .hosts = {},
                                          .days = 1,
                                          .force = true,
                                          .now = std::chrono::system_clock::now()});
    if (!issued.ok()) return issued.status();
  }
  return {};
}

/// Ticks all agents, spread evenly over a window's length, until the time is over. Says when all are welcome.
void Drive(const Setting& setting, const std::vector<std::unique_ptr<Agent>>& agents, const Totals& totals) {
  const auto begin = Clock::now();
  const auto step = std::chrono::duration<double>(1 / setting.windows_per_second / setting.agents);
  const auto rounds_per_second = static_cast<uint64_t>(std::max(1.0, setting.windows_per_second));
  bool all = false;
  const auto elapsed = [begin] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  for (uint64_t tick = 0; elapsed() < setting.seconds; ++tick) {
    const uint64_t agent = tick % agents.size();
    agents[agent]->Tick(tick / agents.size() % rounds_per_second == 0);
    const bool now_all = totals.welcome == setting.agents;
    if (now_all != all) std::cout << (now_all ? "all_welcome_at_s " : "some_lost_at_s ") << elapsed() << std::endl;
    all = now_all;
    std::this_thread::sleep_until(begin + std::chrono::duration_cast<Clock::duration>(step * (tick + 1)));
  }
}

int Run(const Setting& setting) {
  spdlog::set_level(spdlog::level::err);
  if (auto status = IssueAll(setting); !status.ok()) {
    std::cerr << status.message() << "\n";
    return 1;
  }
  Totals totals;
  const std::vector loops{std::make_shared<LinkLoop>(), std::make_shared<LinkLoop>()};
  std::vector<std::unique_ptr<Agent>> agents;
  for (int number = 0; number < setting.agents; ++number) {
    agents.push_back(
        std::make_unique<Agent>(setting, number, totals, loops[static_cast<size_t>(number) % loops.size()]));
    agents.back()->Begin();
  }
  Drive(setting, agents, totals);
  uint64_t waiting = 0, dropped = 0;
  for (const auto& agent : agents) {
    waiting += agent->unacknowledged();
    dropped += agent->dropped();
  }
  {
    const std::lock_guard lock(totals.mutex);
    for (const auto& [why, times] : totals.lost)
      std::cout << "lost " << times << " times: " << why << "\n";
  }
  std::cout << "sent " << totals.sent << "\nbytes_per_window "
            << static_cast<double>(totals.bytes) / std::max<double>(1, static_cast<double>(totals.sent))
            << "\nunacknowledged " << waiting << "\ndropped " << dropped << "\nwelcome " << totals.welcome << "\n"
            << std::flush;
  std::_Exit(totals.welcome == setting.agents ? 0 : 1); // a thousand orderly goodbyes measure nothing
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: link_agents CONTROLLER AGENTS WINDOWS_PER_SECOND SECONDS AUTHORITY\n";
    return 64;
  }
  return avocet::Run({argv[1], std::atoi(argv[2]), std::atof(argv[3]), std::atof(argv[4]), argv[5]});
}

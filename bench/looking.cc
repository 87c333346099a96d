// What it costs to look at a large cluster: a whole controller in this process (records on disk, Control service over
// gRPC on loopback), nodes with one device each whose agents answer at once, and applications spread over them, each
// applied by a call of its own. Prints how long calls take as applications grow in number, lists (first, again, after
// one change), memory, records on disk, and a restart from them. usage: looking [APPS [DEVICES [fifo|time_shared]]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <malloc.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/ask.h"
#include "actors/controller/controller_process.h"
#include "actors/wire/control_client.h"
#include "node_agent/model_files.h"
#include "tests/support/emulated_text.h"
#include "tests/support/view_builder.h"

namespace avocet {
namespace {

using Clock = std::chrono::steady_clock;

struct Setting {
  int apps = 2000;
  int devices = 20;
  Discipline discipline = Discipline::kFifo;
};

struct Timing {
  const char* name;
  double service_ms, switch_ms;
};

// Published service and switch times of edgeTPU models.
constexpr Timing kTimings[] = {{"mobilenet_v2", 4.91, 10.43},   {"ssd_mobilenet_v2", 18.03, 23.93},
                               {"efficientnet-s", 9.83, 17.33}, {"efficientnet-l", 42.18, 17.53},
                               {"inception_v1", 4.10, 8.0},     {"inception_v2", 15.85, 22.63},
                               {"inception_v3", 62.95, 19.39},  {"inception_v4", 125.13, 19.43}};
constexpr size_t kModels = std::size(kTimings);

double Millis(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

/// Resident memory of this process, in MiB.
double Resident() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    double kib = 0;
    status >> kib;
    return kib / 1024;
  }
  return 0;
}

double MebibytesIn(const std::filesystem::path& folder) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "error: %s\n", status.ToString().c_str());
  std::exit(1);
}

/// Runs what it is told at once, and says so.
agent_handle::behavior_type Agent(agent_handle::pointer self, const controller_actor& controller,
                                  const NodeInfo& node) {
  return {
      [=](const RunCommand& run) -> caf::result<Done> {
        const Command& command = run.command;
        if (command.kind != CommandKind::kStart) return Done{};
        const Placement ready{.app = command.app,
                              .device = command.device,
                              .model = command.model,
                              .format = command.format,
                              .file = command.file,
                              .epoch = command.epoch,
                              .phase = PlacementPhase::kReady};
        self->request(controller, caf::infinite, ReportRunning{node.id, ready, node.boot}).then([](Done) {});
        return Done{};
      },
      [](const ProfileOnDevice& profile) -> caf::result<Profile> {
        const auto* timing = std::find_if(std::begin(kTimings), std::end(kTimings), [&](const Timing& one) {
          return profile.model.str().starts_with(std::string(one.name) + ":");
        });
        return Profile{.model = profile.model,
                       .format = profile.variant.format,
                       .device_type = "bench device",
                       .service_mean = FromMillis(timing->service_ms),
                       .switch_overhead = FromMillis(timing->switch_ms),
                       .memory_bytes = 20 * kMiB,
                       .runs = 50,
                       .emulated = true};
      },
      [](const RegisterAgain&) {},
      [](const SetPredictions&) {},
  };
}

std::filesystem::path MakeFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "looking-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) Check(Unavailable("no folder can be made: " + name));
  return name;
}

class Cluster {
public:
  explicit Cluster(const Setting& setting) : setting_(setting) { Start(); }
  ~Cluster() {
    for (const auto& agent : agents_)
      caf::anon_send_exit(agent, caf::exit_reason::kill);
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    ControllerProcessOptions options;
    options.data_dir = folder_;
    options.control.address = "127.0.0.1:0";
    // Nobody sends heartbeats here.
    options.controller.lease = std::chrono::hours(10);
    auto started = ControllerProcess::Start(system_, options);
    Check(started.status());
    process_ = std::move(*started);
    control_ = ConnectController(system_, {.address = process_->address()});
  }
  void Stop() {
    control_ = nullptr;
    process_.reset();
  }

  /// Every node registers; what it ran before, it runs.
  void Register() {
    for (int i = 0; i < setting_.devices; ++i) {
      const NodeInfo node = NodeOf(i);
      const auto agent = system_.spawn(Agent, process_->actor(), node);
      agents_.push_back(agent);
      Check(AskAndWait<Welcome>(system_, process_->actor(), RegisterAgent{node, {}, agent, {}}, std::chrono::minutes(1),
                                "controller")
                .status());
    }
  }

  void Import() {
    for (const auto& timing : kTimings) {
      const std::string bytes = EmulatedText(timing.name);
      const Sha256 file = Sha256Of(bytes);
      Check(Ask<ModelChunkStored>(PutModelChunk{file, 0, bytes.size(), bytes}).status());
      Check(Ask<Model>(ImportModel{{.name = timing.name, .variants = {{ModelFormat::kEmulated, file, bytes.size()}}}})
                .status());
      Check(Ask<ProfileList>(ProfileModel{timing.name, {}}).status());
    }
  }

  Application AppOf(int number) const {
    const double per_device = static_cast<double>(setting_.apps) / setting_.devices;
    // All together half of what a device can do, switches included.
    const Timing& timing = kTimings[static_cast<size_t>(number) % kModels];
    const double rate = 0.5 / per_device * 1000 / (timing.service_ms + timing.switch_ms);
    return MakeApp("application-" + std::to_string(100000 + number), timing.name,
                   {.rate_rps = rate, .statistic = Statistic::kP95, .latency_ms = 3000});
  }

  /// Over gRPC.
  template <class Reply, class Message> Result<Reply> Ask(Message message) {
    return AskAndWait<Reply>(system_, control_, std::move(message), std::chrono::minutes(2), "controller");
  }
  /// Without it: the actors alone.
  template <class Reply, class Message> Result<Reply> AskActor(Message message) {
    return AskAndWait<Reply>(system_, process_->actor(), std::move(message), std::chrono::minutes(2), "controller");
  }

  const std::filesystem::path& folder() const { return folder_; }
  std::string address() const { return process_->address(); }

private:
  NodeInfo NodeOf(int number) const {
    const NodeId id("node-" + std::to_string(100 + number));
    return {.id = id,
            .boot = BootId("boot"),
            .version = "bench",
            .grpc_address = "127.0.0.1:1",
            .devices = {{.node = id,
                         .name = "tpu0",
                         .kind = DeviceKind::kEdgeTpu,
                         .discipline = setting_.discipline,
                         .engine = EngineKind::kEmulated,
                         .type = "bench device",
                         .memory_bytes = 8000 * kMiB}}};
  }

  Setting setting_;
  std::filesystem::path folder_ = MakeFolder();
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  std::vector<agent_handle> agents_;
  std::unique_ptr<ControllerProcess> process_;
  control_actor control_;
};

template <class Call> double Time(const Call& call) {
  const auto start = Clock::now();
  call();
  return Millis(Clock::now() - start);
}

double At(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(p * static_cast<double>(values.size() - 1))];
}

/// Applies all, in strides of which each has a line.
void ApplyAll(Cluster& cluster, const Setting& setting) {
  std::printf("%-44s %10s %10s %10s\n", "apply, over gRPC", "p50 ms", "p99 ms", "RSS MiB");
  const int stride = std::max(setting.apps / 4, 1);
  std::vector<double> millis;
  for (int i = 0; i < setting.apps; ++i) {
    millis.push_back(Time([&] {
      const auto decision = cluster.Ask<Decision>(ApplyApp{cluster.AppOf(i), {}});
      Check(decision.status());
      if (decision->kind != DecisionKind::kAdmit) Check(Internal("application " + std::to_string(i) + " not admitted"));
    }));
    if ((i + 1) % stride != 0) continue;
    std::printf("  the last %4d of %5d %22s %10.1f %10.1f %10.1f\n", stride, i + 1, "", At(millis, 0.5),
                At(millis, 0.99), Resident());
    millis.clear();
  }
}

void Row(const char* what, double value, const char* unit, const char* goal = "") {
  std::printf("%-44s %10.1f %-4s %s\n", what, value, unit, goal);
  std::fflush(stdout);
}

/// Of ten calls.
template <class Call> void RowOfCalls(const char* what, const Call& call, const char* goal = "") {
  std::vector<double> millis;
  for (int i = 0; i < 10; ++i)
    millis.push_back(Time(call));
  Row(what, At(millis, 0.5), "ms", goal);
}

void Look(Cluster& cluster, const Setting& setting) {
  const auto list = [&] {
    const auto apps = cluster.AskActor<AppList>(ListApps{});
    Check(apps.status());
    if (apps->apps.size() != static_cast<size_t>(setting.apps)) Check(Internal("the list is not whole"));
  };
  int change = 0;
  const auto change_one = [&] {
    Application app = cluster.AppOf(change++);
    app.rate_rps *= 1.01;
    Check(cluster.Ask<Decision>(ApplyApp{app, {}}).status());
  };

  Row("app list, first", Time(list), "ms");
  const auto apps = cluster.AskActor<AppList>(ListApps{});
  Check(apps.status());
  RowOfCalls("floor: copy the list", [&] { (void)AppList(*apps); });
  RowOfCalls("app list, again", list, "goal: 50");
  std::vector<double> changed;
  for (int i = 0; i < 10; ++i) {
    change_one();
    changed.push_back(Time(list));
  }
  Row("app list, after one change", At(changed, 0.5), "ms", "goal: 50");
  RowOfCalls("app list, over gRPC", [&] { Check(cluster.Ask<AppList>(ListApps{}).status()); });
  RowOfCalls("device list, over gRPC", [&] { Check(cluster.Ask<DeviceList>(ListDevices{}).status()); });
  RowOfCalls("node list, over gRPC", [&] { Check(cluster.Ask<NodeList>(ListNodes{}).status()); });
  RowOfCalls("app status, over gRPC",
             [&] { Check(cluster.Ask<AppStatus>(GetApp{cluster.AppOf(setting.apps / 2).name}).status()); });
  RowOfCalls("app explain, over gRPC",
             [&] { Check(cluster.Ask<Decision>(ExplainApp{cluster.AppOf(setting.apps / 2).name}).status()); });
  RowOfCalls("app plan, over gRPC", [&] {
    Application app = cluster.AppOf(7);
    app.name = AppId("newcomer");
    Check(cluster.Ask<Decision>(PlanApp{app, {}}).status());
  });
}

/// The command line's part: a process of its own, from its start to its end.
void LookByCommand(Cluster& cluster, const std::string& avocet) {
  if (!std::filesystem::exists(avocet)) return (void)std::printf("no %s, so no commands\n", avocet.c_str());
  const std::vector<std::string> commands = {"version", "app list", "app list -o json", "device list",
                                             "app status " + cluster.AppOf(7).name.str()};
  for (const std::string& command : commands) {
    const std::string line = avocet + " " + command + " --addr " + cluster.address() + " >/dev/null";
    RowOfCalls(("avocet " + command).c_str(), [&] {
      if (std::system(line.c_str()) != 0) Check(Internal(line + " failed"));
    });
  }
}

/// Every application asks for another rate: nothing of the past may pile up.
void ChangeAll(Cluster& cluster, const Setting& setting) {
  std::vector<double> millis;
  for (int i = 0; i < setting.apps; ++i) {
    Application app = cluster.AppOf(i);
    app.rate_rps *= 1 + 1e-4 * (i + 1);
    millis.push_back(Time([&] { Check(cluster.Ask<Decision>(ApplyApp{app, {}}).status()); }));
  }
  Row("app apply of a change, over gRPC", At(millis, 0.5), "ms");
  Row("memory after a change of each", Resident(), "MiB", "goal: 150");
  Row("records on disk", MebibytesIn(cluster.folder() / "db"), "MiB", "goal: 20");
}

void RemoveAll(Cluster& cluster, const Setting& setting) {
  std::vector<double> millis;
  for (int i = 0; i < setting.apps; ++i)
    millis.push_back(Time([&] { Check(cluster.Ask<RemovedApp>(RemoveApp{cluster.AppOf(i).name}).status()); }));
  Row("app rm, over gRPC", At(millis, 0.5), "ms");
}

int Run(const Setting& setting, const std::string& avocet) {
  spdlog::set_level(spdlog::level::warn);
  Cluster cluster(setting);
  cluster.Register();
  cluster.Import();
  std::printf("%d applications on %d devices (%s)\n", setting.apps, setting.devices,
              std::string(ToString(setting.discipline)).c_str());
  Row("memory before", Resident(), "MiB");
  ApplyAll(cluster, setting);
  Look(cluster, setting);
  LookByCommand(cluster, avocet);
  Row("memory", Resident(), "MiB", "goal: 150");
  Row("records on disk", MebibytesIn(cluster.folder() / "db"), "MiB", "goal: 20");
  ChangeAll(cluster, setting);

  cluster.Stop();
  malloc_trim(0);
  Row("memory without a controller", Resident(), "MiB");
  Row("restart", Time([&] { cluster.Start(); }), "ms", "goal: 2000");
  Row("memory after it", Resident(), "MiB", "goal: 150");
  Row("records on disk", MebibytesIn(cluster.folder() / "db"), "MiB", "goal: 20");

  RemoveAll(cluster, setting);
  Row("memory after removal", Resident(), "MiB");
  Row("records on disk after removal", MebibytesIn(cluster.folder() / "db"), "MiB");
  cluster.Stop();
  return 0;
}

} // namespace
} // namespace avocet

int main(int argc, char** argv) {
  avocet::Setting setting;
  if (argc > 1) setting.apps = std::atoi(argv[1]);
  if (argc > 2) setting.devices = std::atoi(argv[2]);
  if (argc > 3) setting.discipline = avocet::ParseDiscipline(argv[3]).value_or(setting.discipline);
  const auto folder = std::filesystem::canonical("/proc/self/exe").parent_path();
  return avocet::Run(setting, folder.parent_path() / "avocet");
}

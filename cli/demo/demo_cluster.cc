#include "cli/demo/demo_cluster.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "node_agent/probes/cpu_probe.h"

namespace avocet {
namespace {

constexpr Duration kStartDeadline = std::chrono::seconds(30);
constexpr Duration kStopDeadline = std::chrono::seconds(20);
constexpr size_t kLogTail = 2000;

/// The real device may use this share of the machine's memory.
constexpr uint64_t kMemoryShare = 4;

std::string Device(const std::string& name, const std::string& kind, const std::string& rest) {
  return "[[device]]\nname = \"" + name + "\"\nkind = \"" + kind + "\"\n" + rest;
}

Result<std::string> RealDevice() {
  AVOCET_ASSIGN_OR_RETURN(auto cpu, ProbeCpu());
  return Device("cpu0", "cpu",
                "engine = \"tflite\"\ncores = [" + std::to_string(cpu.cores.back()) +
                    "]\nmemory_mb = " + std::to_string(cpu.memory_bytes / kMemoryShare / kMiB) + "\n");
}

// A Jetson Nano's GPU and a Coral USB stick, by published measurements.
std::string EmulatedGpu() {
  return Device("gpu0", "gpu", "engine = \"emulated\"\ndiscipline = \"time_shared\"\nmemory_mb = 3964\n");
}
std::string EmulatedTpu() {
  return Device("tpu0", "edgetpu", "engine = \"emulated\"\ndiscipline = \"fifo\"\nmemory_mb = 3800\n");
}

std::string EndOf(const std::filesystem::path& log) {
  std::ostringstream text;
  text << std::ifstream(log).rdbuf();
  const std::string all = text.str();
  return all.substr(all.size() - std::min(all.size(), kLogTail));
}

} // namespace

Result<std::string> DemoCluster::Launch(const std::vector<std::string>& arguments, const std::string& name,
                                        const std::string& key) {
  const auto log = folder_ / (name + ".log");
  auto all = arguments;
  all.insert(all.end(), {"-o", "json"});
  AVOCET_ASSIGN_OR_RETURN(auto process, ChildProcess::Start({.arguments = all, .log = log}));
  processes_.push_back(std::move(process));
  auto line = processes_.back()->ReadLine(kStartDeadline);
  const auto said = nlohmann::json::parse(line.ok() ? *line : "", nullptr, false);
  if (said.is_object() && said.contains(key) && said[key].is_string()) return said[key].get<std::string>();
  return Internal("'" + name + "' did not start; it said: " + (line.ok() ? *line : line.status().message()) + "\n" +
                  EndOf(log));
}

Status DemoCluster::StartController() {
  auto control = Launch({"controller", "--data-dir", (folder_ / "controller").string(), "--listen", "127.0.0.1:0"},
                        "controller", "control");
  if (!control.ok()) return control.status();
  control_ = std::move(*control);
  return {};
}

Status DemoCluster::StartAgent(const std::string& name, const std::string& device) {
  const auto config = folder_ / (name + ".toml");
  std::ofstream(config) << "name = \"" << name << "\"\ndata_dir = \"" << (folder_ / name).string()
                        << "\"\ncontroller = \"" << control_ << "\"\n[inference]\ngrpc = \"127.0.0.1:0\"\n"
                        << device;
  AVOCET_ASSIGN_OR_RETURN(auto inference, Launch({"agent", "--config", config.string()}, name, "inference"));
  inference_[NodeId(name)] = std::move(inference);
  return {};
}

Result<std::unique_ptr<DemoCluster>> DemoCluster::Start(const std::filesystem::path& folder) {
  std::unique_ptr<DemoCluster> cluster(new DemoCluster(folder));
  AVOCET_ASSIGN_OR_RETURN(auto real, RealDevice());
  AVOCET_RETURN_IF_ERROR(cluster->StartController());
  AVOCET_RETURN_IF_ERROR(cluster->StartAgent("cpu-1", real));
  AVOCET_RETURN_IF_ERROR(cluster->StartAgent("jetson-1", EmulatedGpu()));
  AVOCET_RETURN_IF_ERROR(cluster->StartAgent("coral-1", EmulatedTpu()));
  return cluster;
}

DemoCluster::~DemoCluster() {
  Stop();
}

bool DemoCluster::alive() const {
  return std::all_of(processes_.begin(), processes_.end(), [](const auto& process) { return process->running(); });
}

void DemoCluster::Stop() {
  for (size_t i = 1; i < processes_.size(); ++i)
    processes_[i]->AskToStop();
  while (!processes_.empty()) {
    processes_.back()->Terminate(kStopDeadline);
    processes_.pop_back();
  }
}

} // namespace avocet

#include "tests/support/process_cluster.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

namespace avocet {
namespace {

using nlohmann::json;

const std::string kController = "controller";

/// One of sixteen million: a controller that is started again finds its port free.
std::string LoopbackOfOnesOwn() {
  std::random_device random;
  const auto part = [&random] { return std::to_string(1 + random() % 254); };
  return "127." + part() + "." + part() + "." + part();
}

std::string DeviceOf(const std::string& kind) {
  if (kind == "cpu" || kind == "emulated_cpu")
    return std::string("[[device]]\nname = \"cpu0\"\nkind = \"cpu\"\nengine = \"") +
           (kind == "cpu" ? "tflite" : "emulated") + "\"\nmemory_mb = 512\ncores = [" + std::to_string(LastCore()) +
           "]\n";
  const bool gpu = kind == "gpu";
  return std::string("[[device]]\nname = \"") + (gpu ? "gpu0" : "tpu0") + "\"\nkind = \"" + kind +
         "\"\nengine = \"emulated\"\nmemory_mb = 3800\ndiscipline = \"" + (gpu ? "time_shared" : "fifo") + "\"\n";
}

} // namespace

ProcessCluster::ProcessCluster(std::vector<AgentPlan> agents, Where where)
    : plans_(std::move(agents)), loopback_(LoopbackOfOnesOwn()) {
  if (where == Where::kLoopback) return;
  std::vector<std::string> names;
  for (const auto& plan : plans_)
    names.push_back(plan.name);
  hosts_.emplace(names);
  IssueCertificates();
  const auto admin = Certificates("admin", "operator");
  set_environment({{"AVOCET_TLS_CA", admin / "ca.pem"},
                   {"AVOCET_TLS_CERT", admin / "cert.pem"},
                   {"AVOCET_TLS_KEY", admin / "key.pem"}});
  set_prefix(hosts_->Enter(kController));
}

ProcessCluster::~ProcessCluster() {
  controller_.reset();
  agents_.clear();
  std::vector<std::string> logs{kController + ".log"};
  for (const auto& plan : plans_)
    logs.push_back(plan.name + ".log");
  PrintLogsOfFailure(logs);
}

std::filesystem::path ProcessCluster::Certificates(const std::string& role, const std::string& name) const {
  return folder() / "tls" / (role + "-" + name);
}

void ProcessCluster::IssueCertificates() {
  const std::string folder_of_authority = (folder() / "tls").string();
  const auto tls = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "tls");
    arguments.insert(arguments.end(), {"--dir", folder_of_authority});
    const auto result = RunAvocet(arguments);
    if (result.exit_code != 0) throw std::runtime_error("no certificates: " + result.out + result.err);
  };
  tls({"init"});
  tls({"issue", "--role", "admin", "operator"});
  tls({"issue", "--role", "controller", "main", "--host", HostOf(kController)});
  for (const auto& plan : plans_)
    tls({"issue", "--role", "agent", plan.name, "--host", HostOf(plan.name)});
}

std::string ProcessCluster::HostOf(const std::string& name) const {
  return hosts_ ? hosts_->AddressOf(name) : loopback_;
}

std::string ProcessCluster::TlsConfig(const std::string& role, const std::string& name) const {
  if (!hosts_) return "";
  const std::string files = Certificates(role, name).string();
  return "[tls]\nca = \"" + files + "/ca.pem\"\ncertificate = \"" + files + "/cert.pem\"\nkey = \"" + files +
         "/key.pem\"\n";
}

void ProcessCluster::WriteControllerConfig() const {
  const std::string listen = control().empty() ? HostOf(kController) + ":0" : control();
  Write(kController + ".toml", "data_dir = \"" + data_dir(kController).string() + "\"\nlisten = \"" + listen + "\"\n" +
                                   TlsConfig("controller", "main"));
}

void ProcessCluster::WriteAgentConfig(const AgentPlan& plan) const {
  std::string text = "name = \"" + (plan.node.empty() ? plan.name : plan.node) + "\"\ndata_dir = \"" +
                     data_dir(plan.name).string() + "\"\ncontroller = \"" + control() + "\"\n" +
                     TlsConfig("agent", plan.name) + "[inference]\nplaintext = true\ngrpc = \"" + HostOf(plan.name) +
                     ":0\"\n";
  for (const auto& kind : plan.kinds)
    text += DeviceOf(kind);
  Write(plan.name + ".toml", text);
}

json ProcessCluster::Endpoints(const std::string& name) const {
  std::ifstream in(data_dir(name) / "endpoints.json");
  return json::parse(in, nullptr, false);
}

/// The program says where it listens in a file, once it does.
std::unique_ptr<Process> ProcessCluster::StartAndWait(const std::string& verb, const std::string& name) {
  std::filesystem::remove(data_dir(name) / "endpoints.json");
  auto command = hosts_ ? hosts_->Enter(name) : std::vector<std::string>{};
  if (const auto prefix = prefixes_.find(name); prefix != prefixes_.end())
    command.insert(command.end(), prefix->second.begin(), prefix->second.end());
  command.insert(command.end(), {AVOCET_BINARY, verb, "--config", (folder() / (name + ".toml")).string()});
  if (descriptors_)
    command.insert(command.begin(),
                   {"/bin/sh", "-c", "ulimit -n " + std::to_string(*descriptors_) + "; exec \"$@\"", "sh"});
  auto process = StartProgram(command, name + ".log");
  const bool listens =
      Eventually([&] { return Endpoints(name).is_object() || process->Wait({}).has_value(); }, kPatience);
  if (!listens || !Endpoints(name).is_object())
    throw std::runtime_error("avocet " + verb + " did not start:\n" + EndOf(name + ".log"));
  return process;
}

void ProcessCluster::StartController() {
  controller_.reset();
  WriteControllerConfig();
  controller_ = StartAndWait("controller", kController);
  // The same as before, and commands may be under way on other threads: they read it.
  if (const std::string address = Endpoints(kController).at("control"); address != control()) set_control(address);
}

void ProcessCluster::StartAgent(const std::string& name) {
  agents_[name].reset();
  const auto plan = std::find_if(plans_.begin(), plans_.end(), [&](const AgentPlan& one) { return one.name == name; });
  WriteAgentConfig(*plan);
  agents_[name] = StartAndWait("agent", name);
}

void ProcessCluster::StartAll() {
  StartController();
  for (const auto& plan : plans_)
    StartAgent(plan.name);
  const auto registered = [&] {
    const json nodes = Json({"node", "list"});
    return nodes.is_object() && nodes["nodes"].size() == plans_.size();
  };
  if (!Eventually(registered, kPatience) || !WaitUntilServing())
    throw std::runtime_error("the agents did not register:\n" + EndOf(kController + ".log"));
}

std::string ProcessCluster::inference(const std::string& name) const {
  return endpoint(name, "grpc");
}

std::string ProcessCluster::endpoint(const std::string& name, const std::string& which) const {
  return Endpoints(name).at(which);
}

std::string ProcessCluster::LogOf(const std::string& name) const {
  std::ostringstream text;
  text << std::ifstream(folder() / (name + ".log")).rdbuf();
  return text.str();
}

} // namespace avocet

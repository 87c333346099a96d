#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/operator.h"
#include "tests/support/test_hosts.h"

namespace avocet {

/// An agent with emulated devices: name of a device kind -> a device of that kind, "gpu0" or "tpu0"; "cpu" is real,
/// "emulated_cpu" is not: both are "cpu0".
struct AgentPlan {
  std::string name;
  std::vector<std::string> kinds;
  std::string node = {}; ///< its name as a node; empty: `name`
};

/// Where the processes of a cluster run.
enum class Where {
  kLoopback, ///< in plain text, on a loopback address that only this cluster uses
  kHosts,    ///< on hosts of their own, over mutual TLS; TestHosts::Allowed is required
};

/// A controller and agents, each the real program in a process of its own. Started, paused, killed and
/// started again at will. When a test failed, the ends of all logs are printed.
class ProcessCluster : public Operator {
public:
  explicit ProcessCluster(std::vector<AgentPlan> agents, Where where = Where::kLoopback);
  ~ProcessCluster();

  /// Ends an earlier run if need be, starts it and waits until it listens; on the port that it had before.
  /// Throws std::runtime_error when it does not.
  void StartController();
  void StartAgent(const std::string& name);
  /// The controller and every agent, until all of them are registered.
  void StartAll();

  Process& controller() { return *controller_; }
  Process& agent(const std::string& name) { return *agents_.at(name); }
  /// Where the agent answers inference requests now.
  std::string inference(const std::string& name) const;
  /// Its "rest" or "metrics" endpoint.
  std::string endpoint(const std::string& name, const std::string& which) const;
  /// The program is started with this in front of its command from now on.
  void set_prefix_of(const std::string& name, std::vector<std::string> prefix) { prefixes_[name] = std::move(prefix); }
  /// Programs that are started from now on get no more descriptors than this.
  void LimitDescriptors(int most) { descriptors_ = most; }
  std::filesystem::path data_dir(const std::string& name) const { return folder() / name; }
  /// Only of a cluster on hosts.
  const TestHosts& hosts() const { return *hosts_; }
  /// Everything that the program has logged so far.
  std::string LogOf(const std::string& name) const;

private:
  std::unique_ptr<Process> StartAndWait(const std::string& verb, const std::string& name);
  nlohmann::json Endpoints(const std::string& name) const;
  void IssueCertificates();
  std::filesystem::path Certificates(const std::string& role, const std::string& name) const;
  std::string HostOf(const std::string& name) const;
  /// [tls] for a configuration file; empty on loopback.
  std::string TlsConfig(const std::string& role, const std::string& name) const;
  void WriteControllerConfig() const;
  void WriteAgentConfig(const AgentPlan& plan) const;

  std::vector<AgentPlan> plans_;
  std::string loopback_;
  std::optional<int> descriptors_;
  std::map<std::string, std::vector<std::string>> prefixes_;
  std::optional<TestHosts> hosts_;
  std::unique_ptr<Process> controller_;
  std::map<std::string, std::unique_ptr<Process>> agents_;
};

} // namespace avocet

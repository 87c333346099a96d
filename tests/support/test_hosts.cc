#include "tests/support/test_hosts.h"

#include <stdexcept>

#include <unistd.h>

#include "tests/support/process.h"

namespace avocet {
namespace {

constexpr std::chrono::seconds kPatience(60);
const std::string kController = "controller";
const std::string kControllerAddress = "10.77.0.1";

/// `ip ARGUMENTS` or `tc ARGUMENTS`, separated by blanks.
CommandResult Tool(const std::string& line) {
  return RunToEnd(
      {.command = {"/bin/sh", "-c", "PATH=/usr/sbin:/sbin:$PATH exec " + line}, .stderr_file = {}, .environment = {}},
      kPatience);
}

void Must(const std::string& line) {
  const auto result = Tool(line);
  if (result.exit_code != 0) throw std::runtime_error(line + ": " + result.err);
}

std::string Subnet(int number) {
  return "10.77." + std::to_string(number) + ".";
}

} // namespace

bool TestHosts::Allowed() {
  const std::string probe = "avocet-" + std::to_string(getpid()) + "-probe";
  const bool allowed = Tool("ip netns add " + probe).exit_code == 0;
  if (allowed) Must("ip netns delete " + probe);
  return allowed;
}

std::string TestHosts::Namespace(const std::string& host) const {
  return "avocet-" + std::to_string(getpid()) + "-" + host;
}

std::string TestHosts::CableOf(const std::string& agent) const {
  return "to" + std::to_string(numbers_.at(agent));
}

TestHosts::TestHosts(const std::vector<std::string>& agents) {
  const std::string controller = Namespace(kController);
  Must("ip netns add " + controller);
  Must("ip -n " + controller + " address add " + kControllerAddress + "/32 dev lo");
  Must("ip -n " + controller + " link set lo up");
  for (const auto& agent : agents) {
    numbers_[agent] = static_cast<int>(numbers_.size()) + 1;
    Add(agent);
  }
}

void TestHosts::Add(const std::string& agent) const {
  const std::string controller = Namespace(kController), host = Namespace(agent), cable = CableOf(agent);
  const std::string subnet = Subnet(numbers_.at(agent));
  Must("ip netns add " + host);
  Must("ip -n " + controller + " link add " + cable + " type veth peer name eth0 netns " + host);
  Must("ip -n " + controller + " address add " + subnet + "1/24 dev " + cable);
  Must("ip -n " + host + " address add " + subnet + "2/24 dev eth0");
  Must("ip -n " + controller + " link set " + cable + " up");
  Must("ip -n " + host + " link set lo up");
  Must("ip -n " + host + " link set eth0 up");
  Must("ip -n " + host + " route add " + kControllerAddress + " via " + subnet + "1");
}

TestHosts::~TestHosts() {
  for (const auto& [agent, number] : numbers_)
    (void)Tool("ip netns delete " + Namespace(agent));
  (void)Tool("ip netns delete " + Namespace(kController));
}

std::vector<std::string> TestHosts::Enter(const std::string& host) const {
  return {"/usr/bin/env", "PATH=/usr/sbin:/sbin:/usr/bin:/bin", "ip", "netns", "exec", Namespace(host)};
}

std::string TestHosts::AddressOf(const std::string& host) const {
  return host == kController ? kControllerAddress : Subnet(numbers_.at(host)) + "2";
}

void TestHosts::Cut(const std::string& agent) const {
  Must("ip -n " + Namespace(kController) + " link set " + CableOf(agent) + " down");
}

void TestHosts::Join(const std::string& agent) const {
  Must("ip -n " + Namespace(kController) + " link set " + CableOf(agent) + " up");
}

void TestHosts::Slow(const std::string& agent, const std::string& rate) const {
  Must("tc -n " + Namespace(kController) + " qdisc replace dev " + CableOf(agent) + " root tbf rate " + rate +
       " burst 32kbit latency 200ms");
}

} // namespace avocet

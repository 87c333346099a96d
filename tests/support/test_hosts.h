#pragma once

#include <map>
#include <string>
#include <vector>

namespace avocet {

/// Hosts of this test alone, as network namespaces: one for the controller, and one for each agent, joined to
/// it by a cable of its own that can be cut, joined again and slowed down. All traffic stays in them. Needs
/// the right to create namespaces; see Allowed. Throws std::runtime_error when a command of iproute2 fails.
class TestHosts {
public:
  /// Whether this process may create namespaces (root may).
  static bool Allowed();

  explicit TestHosts(const std::vector<std::string>& agents);
  ~TestHosts();
  TestHosts(const TestHosts&) = delete;
  TestHosts& operator=(const TestHosts&) = delete;

  /// Put in front of a command line, this runs it on the host. "controller" is the controller's.
  std::vector<std::string> Enter(const std::string& host) const;
  std::string AddressOf(const std::string& host) const;
  /// Packets to and from the agent's host vanish; connections stay open, as nobody is told.
  void Cut(const std::string& agent) const;
  void Join(const std::string& agent) const;
  /// What the controller sends to the agent goes at this rate, e.g. "8mbit", from now on.
  void Slow(const std::string& agent, const std::string& rate) const;

private:
  std::string Namespace(const std::string& host) const;
  std::string CableOf(const std::string& agent) const;
  void Add(const std::string& agent) const;

  std::map<std::string, int> numbers_; ///< of the agents, from 1
};

} // namespace avocet

#include "node_agent/ports/port_owner.h"

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "messages/address.h"

namespace avocet {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListening = "0A"; ///< TCP_LISTEN, as the kernel prints it

/// The inodes of the sockets that listen on the port: lines "0: 0100007F:1F41 00000000:0000 0A ... inode ...".
void AddSockets(const char* table, uint16_t port, std::set<std::string>& sockets) {
  std::ifstream lines(table);
  std::string line;
  std::getline(lines, line); // the header
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    const size_t colon = local.rfind(':');
    if (state != kListening || colon == std::string::npos) continue;

    unsigned found = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
    if (found == port) sockets.insert("socket:[" + inode + "]");
  }
}

bool Holds(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code hidden; // of another user's processes
  for (const auto& descriptor : fs::directory_iterator(process / "fd", hidden)) {
    if (sockets.contains(fs::read_symlink(descriptor.path(), hidden).string())) return true;
  }
  return false;
}

std::string NameOf(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  return name;
}

} // namespace

std::string PortOwner(uint16_t port) {
  std::set<std::string> sockets;
  AddSockets("/proc/net/tcp", port, sockets);
  AddSockets("/proc/net/tcp6", port, sockets);
  if (sockets.empty()) return "";

  std::error_code ignored;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    const std::string id = process.path().filename().string();
    const bool is_process = id.find_first_not_of("0123456789") == std::string::npos;
    if (is_process && Holds(process.path(), sockets)) return "process " + id + " (" + NameOf(process.path()) + ")";
  }
  return "";
}

std::string CannotListen(const std::string& text, int error) {
  std::string what = "cannot listen on '" + text + "': " + std::generic_category().message(error);
  const auto address = ParseAddress(text);
  if (error != EADDRINUSE || !address.ok() || address->port == 0) return what;
  const std::string owner = PortOwner(address->port);
  return what + (owner.empty() ? "; stop what listens there, or take another port" : " by " + owner);
}

} // namespace avocet

#include "node_agent/ports/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "messages/address.h"
#include "node_agent/ports/port_owner.h"

namespace avocet {
namespace {

/// An address as the kernel takes it.
struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* plain() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  void SetPort(uint16_t port) {
    auto* const at = family() == AF_INET6 ? &reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                          : &reinterpret_cast<sockaddr_in*>(&storage)->sin_port;
    *at = htons(port);
  }
  uint16_t port() {
    return ntohs(family() == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                      : reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
  }
};

Result<std::vector<Endpoint>> EndpointsOf(const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;

  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
    return InvalidArgument("cannot listen on host '" + host + "': " + gai_strerror(error));

  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, freeaddrinfo);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Endpoint& endpoint = endpoints.emplace_back();
    endpoint.size = one->ai_addrlen;
    std::memcpy(&endpoint.storage, one->ai_addr, one->ai_addrlen);
  }
  return endpoints;
}

Endpoint AnyV6() {
  Endpoint any;
  any.storage.ss_family = AF_INET6; // the address of zeroes
  any.size = sizeof(sockaddr_in6);
  return any;
}

void SetOption(const OwnedDescriptor& socket, int level, int option, int value) {
  // Each option makes things better, none has to succeed.
  (void)setsockopt(socket.get(), level, option, &value, sizeof value);
}

/// errno of the step that failed; 0 and a socket in `listening` when none did.
int Listen(Endpoint& endpoint, Duration unacknowledged, OwnedDescriptor& listening) {
  OwnedDescriptor socket(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.ok()) return errno;
  SetOption(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  SetOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(unacknowledged / std::chrono::milliseconds(1)));
  if (endpoint.family() == AF_INET6) SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(socket.get(), endpoint.plain(), endpoint.size) != 0) return errno;
  if (listen(socket.get(), SOMAXCONN) != 0) return errno;
  if (getsockname(socket.get(), endpoint.plain(), &endpoint.size) != 0) return errno;
  listening = std::move(socket);
  return 0;
}

} // namespace

OwnedDescriptor::~OwnedDescriptor() {
  if (fd_ >= 0) close(fd_);
}

Result<ListeningSockets> ListenOn(const std::string& text, Duration unacknowledged) {
  AVOCET_ASSIGN_OR_RETURN(const auto address, ParseAddress(text));
  AVOCET_ASSIGN_OR_RETURN(auto endpoints, EndpointsOf(address.host));
  if (address.host == "0.0.0.0") endpoints.insert(endpoints.begin(), AnyV6());

  ListeningSockets all;
  uint16_t port = address.port;
  int error = 0;
  for (Endpoint& endpoint : endpoints) {
    // With port 0 the first socket chooses, and the others must follow: clients know one port.
    endpoint.SetPort(port);
    OwnedDescriptor socket;
    error = Listen(endpoint, unacknowledged, socket);
    // Taken by somebody else. With an ephemeral port, the choice merely failed in this family.
    if (error == EADDRINUSE && address.port != 0) return Unavailable(CannotListen(text, error));
    if (error != 0) continue; // a family that this machine does not have
    port = endpoint.port();
    all.sockets.push_back(std::move(socket));
    if (address.host == "0.0.0.0") break; // the first takes both families
  }

  if (all.sockets.empty()) return Unavailable(CannotListen(text, error));
  all.address = WithPort(text, port);
  return all;
}

} // namespace avocet

#include "node_agent/ports/connection_acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "node_agent/ports/descriptor_limit.h"

namespace avocet {
namespace {

constexpr int kAcceptAtOnce = 64; ///< per listening socket, before the others have their turn
/// How often ended connections are forgotten while nothing else happens.
constexpr auto kLookEvery = std::chrono::seconds(1);
/// A look costs 0.2 us per connection: not more often than this for those who are refused.
constexpr auto kLookAtMost = std::chrono::milliseconds(1);

/// What tells the socket behind a descriptor from every other one; 0 when there is no socket.
/// Another thread may close the descriptor, and use its number again, at any time: it is only asked.
uint64_t CookieOf(int descriptor) {
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0) return cookie;
  if (errno == EBADF || errno == ENOTSOCK) return 0;
  struct stat file {}; // a kernel without cookies: the number of the socket's inode serves as well
  return fstat(descriptor, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
}

/// Errors of the connection that was to be accepted, which is gone; see accept(2).
bool IsOfOneConnection(int error) {
  switch (error) {
  case EINTR:
  case ECONNABORTED:
  case EPERM: // a firewall's rule
  case EPROTO:
  case ENETDOWN:
  case ENOPROTOOPT:
  case EHOSTDOWN:
  case ENONET:
  case EHOSTUNREACH:
  case EOPNOTSUPP:
  case ENETUNREACH:
  case ETIMEDOUT:
    return true;
  default:
    return false;
  }
}

struct Peer {
  sockaddr_storage storage{};
  const sockaddr& plain() const { return reinterpret_cast<const sockaddr&>(storage); }

  std::string ToString() const {
    char text[INET6_ADDRSTRLEN] = "?";
    if (storage.ss_family == AF_INET)
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof text);
    else if (storage.ss_family == AF_INET6)
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text, sizeof text);
    return text;
  }
};

/// False when the connection is gone already.
bool AskPeer(const OwnedDescriptor& socket, Peer& peer) {
  socklen_t size = sizeof peer.storage;
  return getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer.storage), &size) == 0;
}

int WholeMillis(Duration duration) {
  return static_cast<int>(duration / std::chrono::milliseconds(1));
}

} // namespace

Result<std::unique_ptr<ConnectionAcceptor>> ConnectionAcceptor::Listen(const std::string& address,
                                                                       const AcceptorOptions& options) {
  AVOCET_ASSIGN_OR_RETURN(auto listening, ListenOn(address, options.unacknowledged));
  OwnedDescriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.ok()) return Unavailable("cannot listen on '" + address + "': no descriptors are left");
  return std::unique_ptr<ConnectionAcceptor>(new ConnectionAcceptor(options, std::move(listening), std::move(wake)));
}

ConnectionAcceptor::ConnectionAcceptor(const AcceptorOptions& options, ListeningSockets listening, OwnedDescriptor wake)
    : options_(options), listening_(std::move(listening)), wake_(std::move(wake)),
      admission_(WithinDescriptors(options.limits, DescriptorsOfAPort())), log_(options.name, options.error_after) {
  log_.Limited(options.limits, limits());
}

ConnectionAcceptor::~ConnectionAcceptor() {
  Stop();
}

void ConnectionAcceptor::Start(Serve serve) {
  serve_ = std::move(serve);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "av-accept");
}

void ConnectionAcceptor::Stop() {
  is_stopping_ = true;
  const uint64_t one = 1;
  if (wake_.ok() && write(wake_.get(), &one, sizeof one) < 0) std::terminate(); // an eventfd takes a first write
  if (thread_.joinable()) thread_.join();
  listening_.sockets.clear();
}

AcceptorCounters ConnectionAcceptor::counters() const {
  return {open_, refused_, failures_};
}

void ConnectionAcceptor::Run() {
  while (!is_stopping_)
    Wait();
}

/// Until a client comes, the pause is over or Stop is called; then accepts what waits.
void ConnectionAcceptor::Wait() {
  std::vector<pollfd> watched{{wake_.get(), POLLIN, 0}};
  if (!std::exchange(is_pausing_, false)) {
    for (const OwnedDescriptor& socket : listening_.sockets)
      watched.push_back({socket.get(), POLLIN, 0});
  }

  const bool is_pause = watched.size() == 1;
  // Ended connections must be forgotten though no client comes, else their seats stay taken.
  const int idle = connections_.empty() ? -1 : WholeMillis(kLookEvery);
  (void)poll(watched.data(), watched.size(), is_pause ? WholeMillis(options_.pause) : idle);
  if (is_stopping_) return;

  // Before accepting, so that a seat that has just become free can be given away at once.
  if (MonotonicTime::clock::now() - looked_at_ >= kLookEvery) ForgetEnded();
  for (size_t i = 1; i < watched.size(); ++i) {
    if (watched[i].revents != 0) AcceptFrom(watched[i].fd);
  }
}

void ConnectionAcceptor::AcceptFrom(int listener) {
  for (int i = 0; i < kAcceptAtOnce && !is_stopping_; ++i) {
    OwnedDescriptor socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    const int error = errno;
    if (!socket.ok() && error != EAGAIN && IsOfOneConnection(error)) continue;
    if (!socket.ok() && error != EAGAIN) return Fail(error);
    log_.Succeeded();
    if (!socket.ok()) return; // nobody waits
    Take(listener, std::move(socket));
  }
}

void ConnectionAcceptor::Take(int listener, OwnedDescriptor socket) {
  Peer peer;
  if (!AskPeer(socket, peer)) return;
  const ClientKey client = ClientKeyOf(peer.plain());
  if (const Admission admitted = Admit(client); admitted != Admission::kAdmitted) {
    ++refused_;
    return log_.Refused(admission_.Explain(admitted), peer.ToString());
  }
  connections_.push_back({socket.get(), CookieOf(socket.get()), client});
  open_ = connections_.size();
  serve_(listener, socket.Release());
}

Admission ConnectionAcceptor::Admit(const ClientKey& client) {
  const Admission first = admission_.Admit(client);
  if (first == Admission::kAdmitted || MonotonicTime::clock::now() - looked_at_ < kLookAtMost) return first;
  ForgetEnded();
  return admission_.Admit(client);
}

void ConnectionAcceptor::ForgetEnded() {
  looked_at_ = MonotonicTime::clock::now();
  std::erase_if(connections_, [this](const Connection& connection) {
    if (CookieOf(connection.socket) == connection.cookie) return false;
    admission_.Release(connection.client);
    return true;
  });
  open_ = connections_.size();
}

/// Out of descriptors or memory, or something that nobody foresaw: trying at once would only burn the processor.
void ConnectionAcceptor::Fail(int error) {
  ++failures_;
  is_pausing_ = true;
  log_.Failed(std::generic_category().message(error));
}

} // namespace avocet

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "messages/status.h"
#include "messages/units.h"
#include "node_agent/ports/accept_log.h"
#include "node_agent/ports/connection_admission.h"
#include "node_agent/ports/listening_socket.h"

namespace avocet {

struct AcceptorOptions {
  std::string name;        ///< of the port, in the log
  ConnectionLimits limits; ///< lowered to what the process's descriptors allow (DescriptorsOfAPort)
  Duration unacknowledged = std::chrono::seconds(20); ///< see ListenOn
  Duration pause = std::chrono::milliseconds(100);    ///< to the next try without descriptors or memory
  Duration error_after = std::chrono::seconds(5);     ///< of failures: somebody must act, so it is logged as an error
};

struct AcceptorCounters {
  size_t connections = 0; ///< open now, as seen within the last second
  uint64_t refused = 0;   ///< ever, for being too many
  uint64_t failures = 0;  ///< tries to accept without descriptors or memory
};

/// A port that accepts again once descriptors are back: a thread that accepts TCP connections, within bounds in all
/// and per client address, and hands them to a server. Without descriptors or memory it waits and tries again, for as
/// long as it takes. Connections beyond the bounds are closed at once; refusals and failures are logged within a
/// budget.
///
/// The server owns the sockets that it is handed, and need not say when it closes them: a descriptor that is closed, or
/// has another socket behind it, tells. That costs no further descriptors. Thread-safe.
class ConnectionAcceptor {
public:
  /// Takes a connection: a socket that does not block, and the socket that listened for it. Must not block.
  using Serve = std::function<void(int listener, int socket)>;

  /// Listens; connections wait until Start. Errors: as ListenOn.
  static Result<std::unique_ptr<ConnectionAcceptor>> Listen(const std::string& address, const AcceptorOptions& options);
  ~ConnectionAcceptor();
  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

  /// `serve` is called on the acceptor's thread, never after Stop. To be called once.
  void Start(Serve serve);
  /// Closes the port and waits for the thread; connections stay with their server. Idempotent; not for two threads at
  /// once.
  void Stop();

  /// With the real port.
  const std::string& address() const { return listening_.address; }
  const ConnectionLimits& limits() const { return admission_.limits(); }
  AcceptorCounters counters() const;

private:
  /// A connection that was handed over.
  struct Connection {
    int socket;      ///< its number; the server's, which may have closed it
    uint64_t cookie; ///< what tells the socket from later ones of the same number
    ClientKey client;
  };

  ConnectionAcceptor(const AcceptorOptions& options, ListeningSockets listening, OwnedDescriptor wake);
  void Run();
  void Wait();
  void AcceptFrom(int listener);
  void Take(int listener, OwnedDescriptor socket);
  Admission Admit(const ClientKey& client);
  void ForgetEnded();
  void Fail(int error);

  const AcceptorOptions options_;
  ListeningSockets listening_;
  OwnedDescriptor wake_; ///< an eventfd: Stop was called
  Serve serve_;
  std::thread thread_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<size_t> open_ = 0;
  std::atomic<uint64_t> refused_ = 0;
  std::atomic<uint64_t> failures_ = 0;

  // Of the thread:
  ConnectionAdmission admission_;
  std::vector<Connection> connections_;
  MonotonicTime looked_at_{}; ///< when the connections were looked at
  bool is_pausing_ = false;
  AcceptLog log_;
};

} // namespace avocet

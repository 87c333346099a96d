#include "node_agent/http/socket_progress.h"

#include <linux/tcp.h> // the C library's header of that name ends before these counters
#include <netinet/in.h>
#include <sys/socket.h>

namespace avocet {

SocketProgress ProgressOf(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return {.received = info.tcpi_bytes_received, .acknowledged = info.tcpi_bytes_acked};
}

} // namespace avocet

#pragma once

#include <cstdint>
#include <string>

namespace avocet {

/// Who listens on a TCP port of this machine, as far as /proc tells this user: "process 1234 (avocet)"; empty where it
/// does not. Reads a directory for each process: for error texts.
std::string PortOwner(uint16_t port);

/// "cannot listen on '127.0.0.1:8001': Address already in use by process 1234 (avocet)". `error` is an errno.
std::string CannotListen(const std::string& address, int error);

} // namespace avocet

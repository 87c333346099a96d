#pragma once

#include <string>

namespace avocet {

/// Whether the server at "host:port" answers the beginning of a TLS handshake in kind. Connects; waits for each step
/// at most two seconds. False where nobody can be reached.
bool SpeaksTls(const std::string& address);

} // namespace avocet

#pragma once

namespace avocet {

/// For the beginning of main, before OpenSSL is used: it will not clean up when the process exits. A thread may still
/// be ending then, as CAF does not wait for the last step of its detached ones; what it has of OpenSSL it frees itself,
/// and OpenSSL's cleanup would have freed that under it.
void SkipOpensslCleanup();

} // namespace avocet

#include "messages/tls/openssl_exit.h"

#include <openssl/crypto.h>

namespace avocet {

void SkipOpensslCleanup() {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
}

} // namespace avocet

#include "messages/tls/openssl_exit.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <unistd.h>

namespace avocet {
namespace {

constexpr int kCleanedUp = 3;

[[noreturn]] void ExitAfterSkipping() {
  SkipOpensslCleanup();
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, nullptr); // any use
  (void)OPENSSL_atexit([] { _exit(kCleanedUp); });
  std::exit(0);
}

TEST(OpensslExit, NothingIsCleanedUp) {
  GTEST_FLAG_SET(death_test_style, "threadsafe"); // OpenSSL is not in use yet
  EXPECT_EXIT(ExitAfterSkipping(), testing::ExitedWithCode(0), "");
}

} // namespace
} // namespace avocet

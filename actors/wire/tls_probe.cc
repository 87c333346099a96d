#include "actors/wire/tls_probe.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>

#include <openssl/ssl.h>

#include "messages/address.h"
#include "messages/files.h"

namespace avocet {
namespace {

constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};

/// The first byte of a TLS record.
constexpr unsigned char kAlert = 21;
constexpr unsigned char kHandshake = 22;

Fd Connect(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found) != 0) return Fd(-1);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, freeaddrinfo);

  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Fd fd(socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // That of sending bounds connecting, too.
    (void)setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    if (fd.ok() && connect(fd.get(), one->ai_addr, one->ai_addrlen) == 0) return fd;
  }
  return Fd(-1);
}

/// What a client says first.
std::string ClientHello() {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(tls.get(), in, out); // owns both
  (void)SSL_connect(tls.get());    // fails for want of an answer, and leaves its question in `out`
  char* hello = nullptr;
  const long size = BIO_get_mem_data(out, &hello);
  return {hello, static_cast<size_t>(size)};
}

} // namespace

bool SpeaksTls(const std::string& text) {
  const auto address = ParseAddress(text);
  if (!address.ok()) return false;
  const Fd peer = Connect(*address);
  if (!peer.ok()) return false;

  const std::string hello = ClientHello();
  if (send(peer.get(), hello.data(), hello.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(hello.size())) return false;
  unsigned char first = 0;
  return recv(peer.get(), &first, 1, 0) == 1 && (first == kHandshake || first == kAlert);
}

} // namespace avocet

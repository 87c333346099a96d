#include "messages/tls/tls_refusals.h"

#include <array>
#include <atomic>

#include <openssl/crypto.h>
#include <openssl/x509_vfy.h>

#include "messages/text.h"
#include "messages/tls/openssl.h"
#include "messages/tls/tls.h"

namespace avocet {
namespace {

using Observer = void (*)(const CertificateRefusal&);
std::atomic<Observer> g_observer = nullptr; // NOLINT: OpenSSL's callbacks carry no data of ours

std::string NameOf(X509* certificate) {
  for (const std::string& uri : UrisOf(certificate))
    if (ParseIdentity(uri).ok()) return uri;
  std::array<char, kMaxLabelBytes> subject{};
  X509_NAME_oneline(X509_get_subject_name(certificate), subject.data(), subject.size());
  return ToText(subject.data());
}

/// OpenSSL calls this when a verification's context is cleaned up: its result stands there for a last look.
void AtEnd(void* context, void* /*data*/, CRYPTO_EX_DATA* /*all*/, int /*index*/, long /*long*/, void* /*pointer*/) {
  auto* const verified = static_cast<X509_STORE_CTX*>(context);
  const int error = X509_STORE_CTX_get_error(verified);
  X509* certificate = X509_STORE_CTX_get0_cert(verified);
  if (error == X509_V_OK || certificate == nullptr) return;
  g_observer.load()({NameOf(certificate), X509_verify_cert_error_string(error)});
}

} // namespace

void ObserveRefusals(Observer observer) {
  Observer none = nullptr;
  if (g_observer.compare_exchange_strong(none, observer))
    CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE_CTX, 0, nullptr, nullptr, nullptr, AtEnd);
}

} // namespace avocet

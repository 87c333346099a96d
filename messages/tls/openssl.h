#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace avocet {

/// Frees what OpenSSL made with the function that belongs to its type.
struct OpensslFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <class T> using OpensslPtr = std::unique_ptr<T, OpensslFree>;

/// The oldest of this thread's OpenSSL errors in words; clears them.
std::string OpensslError();

/// The URIs among the subject alternative names.
std::vector<std::string> UrisOf(X509* certificate);

/// A BIO that reads `text`, which it borrows.
OpensslPtr<BIO> BioOf(std::string_view text);

} // namespace avocet

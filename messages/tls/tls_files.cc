#include "messages/tls/tls_files.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "messages/address.h"
#include "messages/files.h"
#include "messages/tls/openssl.h"

namespace avocet {
namespace {

namespace fs = std::filesystem;
using Time = std::chrono::system_clock::time_point;
using Certificates = std::vector<OpensslPtr<X509>>;

Status Unusable(const fs::path& file, const std::string& what) {
  return InvalidArgument("TLS file '" + file.string() + "' " + what);
}

Result<std::string> ReadPem(const fs::path& file) {
  auto text = ReadWholeFile(file, kMaxTlsFileBytes);
  if (!text.ok()) return Unusable(file, "cannot be used: " + text.status().message() + "");
  return text;
}

Result<Certificates> ParseCertificates(const fs::path& file, const std::string& pem) {
  Certificates certificates;
  const auto bio = BioOf(pem);
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    certificates.emplace_back(one);
  // The end shows as "no start line"; anything else is a damaged certificate.
  const auto error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) return Unusable(file, "is damaged: " + OpensslError());
  ERR_clear_error();
  if (certificates.empty()) return Unusable(file, "holds no certificate (-----BEGIN CERTIFICATE-----)");
  return certificates;
}

/// Never asks on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return 0;
}

Result<OpensslPtr<EVP_PKEY>> ParseKey(const fs::path& file, const std::string& pem) {
  OpensslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(BioOf(pem).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr)
    return Unusable(file, "holds no private key that can be read (PEM without a passphrase): " + OpensslError());
  return key;
}

Status CheckKeyMode(const fs::path& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0) return Unusable(file, "cannot be opened: " + ErrnoText());
  constexpr mode_t kForbidden = S_IRWXO | S_IWGRP | S_IXGRP;
  if ((info.st_mode & kForbidden) == 0) return {};
  return Unusable(file, "is a private key that others can read or replace; run: chmod 600 '" + file.string() + "'");
}

Time ToTime(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? std::chrono::system_clock::from_time_t(timegm(&parts)) : Time{};
}

std::string ToDate(const ASN1_TIME* time) {
  std::tm parts{};
  char text[32] = "an unreadable date";
  if (ASN1_TIME_to_tm(time, &parts) == 1) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

Status CheckValidity(const fs::path& file, const X509& certificate, Time now) {
  const ASN1_TIME* begin = X509_get0_notBefore(&certificate);
  const ASN1_TIME* end = X509_get0_notAfter(&certificate);
  if (now < ToTime(begin))
    return Unusable(file, "is not valid before " + ToDate(begin) + "; is this machine's clock right?");
  if (now >= ToTime(end))
    return Unusable(file, "expired at " + ToDate(end) + "; renew it with `avocet tls issue --force`");
  return {};
}

Result<PeerIdentity> ReadIdentity(const fs::path& file, X509* certificate) {
  const std::vector<std::string> uris = UrisOf(certificate);
  auto identity = IdentityAmong({uris.begin(), uris.end()});
  if (!identity.ok()) return Unusable(file, "cannot be used: " + identity.status().message());
  return identity;
}

/// Why certificates of `authority` do not vouch for the first one of `chain` at `now`; empty where they do.
std::string WhyNotIssued(const Certificates& authority, const Certificates& chain, Time now) {
  const OpensslPtr<X509_STORE> store(X509_STORE_new());
  for (const auto& one : authority)
    X509_STORE_add_cert(store.get(), one.get());

  // Certificates behind the first are only hints for building the chain; trust comes from the store.
  STACK_OF(X509)* others = sk_X509_new_null();
  for (size_t i = 1; i < chain.size(); ++i)
    sk_X509_push(others, chain[i].get());

  const OpensslPtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), others);
  // At the time of the caller, so that a test needs no clock.
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), std::chrono::system_clock::to_time_t(now));
  const bool verified = X509_verify_cert(context.get()) == 1;
  const std::string why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));

  sk_X509_free(others);
  // OpenSSL's error queue belongs to the thread: what stays would be blamed on the next call.
  ERR_clear_error();
  return verified ? "" : why;
}

/// That peers, who trust the same authority, would accept it.
Status CheckChain(const TlsOptions& options, const Certificates& authority, const Certificates& chain, Time now) {
  const std::string why = WhyNotIssued(authority, chain, now);
  if (why.empty()) return {};
  return Unusable(options.certificate, "was not issued by the authority in '" + options.ca.string() + "' (" + why +
                                           "); both must come from one `avocet tls init` folder");
}

Status CheckPair(const TlsOptions& options, X509* certificate, EVP_PKEY* key) {
  const bool matches = X509_check_private_key(certificate, key) == 1;
  ERR_clear_error();
  if (matches) return {};
  return Unusable(options.key, "is not the key of the certificate in '" + options.certificate.string() +
                                   "'; take both from one `avocet tls issue`");
}

Status Check(TlsFiles& files, const TlsOptions& options, Time now) {
  AVOCET_ASSIGN_OR_RETURN(auto authority, ParseCertificates(options.ca, files.ca_pem));
  AVOCET_ASSIGN_OR_RETURN(auto chain, ParseCertificates(options.certificate, files.certificate_pem));
  AVOCET_ASSIGN_OR_RETURN(auto key, ParseKey(options.key, files.key_pem));
  X509* own = chain.front().get();
  AVOCET_RETURN_IF_ERROR(CheckPair(options, own, key.get()));
  AVOCET_RETURN_IF_ERROR(CheckValidity(options.certificate, *own, now));
  AVOCET_RETURN_IF_ERROR(CheckChain(options, authority, chain, now));
  AVOCET_ASSIGN_OR_RETURN(auto identity, ReadIdentity(options.certificate, own));
  files.identity = std::move(identity);
  files.not_after = ToTime(X509_get0_notAfter(own));
  return {};
}

/// A DNS name, or an IP address as a text; empty for names of other kinds.
std::string HostOf(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS)
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(name.d.dNSName)),
            static_cast<size_t>(ASN1_STRING_length(name.d.dNSName))};
  if (name.type != GEN_IPADD) return "";
  char text[INET6_ADDRSTRLEN] = "";
  const bool is_v4 = ASN1_STRING_length(name.d.iPAddress) == static_cast<int>(sizeof(in_addr));
  (void)inet_ntop(is_v4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name.d.iPAddress), text, sizeof text);
  return text;
}

Status RefusePlaintext(std::string_view text) {
  AVOCET_ASSIGN_OR_RETURN(const auto address, ParseAddress(text));
  if (IsLoopback(address)) return {};
  return InvalidArgument("the controller's address '" + std::string(text) +
                         "' is not loopback, and there are no certificates: nothing would be encrypted, and nobody "
                         "checked; set ca, certificate and key in [tls] (or --tls-ca, --tls-cert, --tls-key; "
                         "`avocet tls --help` shows how to make them), or use 127.0.0.1");
}

} // namespace

std::string OpensslError() {
  const auto error = ERR_get_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown error";
}

OpensslPtr<BIO> BioOf(std::string_view text) {
  return OpensslPtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::vector<std::string> UrisOf(X509* certificate) {
  const OpensslPtr<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> uris;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<size_t>(ASN1_STRING_length(uri)));
  }
  return uris;
}

Result<TlsFiles> ReadTlsFiles(const TlsOptions& options, Time now) {
  AVOCET_RETURN_IF_ERROR(Validate(options));
  AVOCET_RETURN_IF_ERROR(CheckKeyMode(options.key));
  TlsFiles files;
  for (auto [file, text] :
       {std::pair(&options.ca, &files.ca_pem), std::pair(&options.certificate, &files.certificate_pem),
        std::pair(&options.key, &files.key_pem)}) {
    AVOCET_ASSIGN_OR_RETURN(auto read, ReadPem(*file));
    *text = std::move(read);
  }
  AVOCET_RETURN_IF_ERROR(Check(files, options, now));
  return files;
}

Result<Time> CheckIssued(const std::string& ca_pem, const std::string& chain_pem, Time now) {
  AVOCET_ASSIGN_OR_RETURN(const auto authority, ParseCertificates("authority", ca_pem));
  AVOCET_ASSIGN_OR_RETURN(const auto chain, ParseCertificates("peer", chain_pem));
  const std::string why = WhyNotIssued(authority, chain, now);
  if (why.empty()) return ToTime(X509_get0_notAfter(chain.front().get()));
  return Denied("the certificate is not trusted any more (" + why + "); issue a new one with `avocet tls issue`");
}

Result<ServerPem> ReadServerPem(const fs::path& certificate, const fs::path& key, Time now) {
  AVOCET_RETURN_IF_ERROR(CheckKeyMode(key));
  AVOCET_ASSIGN_OR_RETURN(auto certificate_pem, ReadPem(certificate));
  AVOCET_ASSIGN_OR_RETURN(auto key_pem, ReadPem(key));
  AVOCET_ASSIGN_OR_RETURN(const auto chain, ParseCertificates(certificate, certificate_pem));
  AVOCET_ASSIGN_OR_RETURN(const auto private_key, ParseKey(key, key_pem));
  AVOCET_RETURN_IF_ERROR(
      CheckPair({.ca = {}, .certificate = certificate, .key = key}, chain.front().get(), private_key.get()));
  AVOCET_RETURN_IF_ERROR(CheckValidity(certificate, *chain.front(), now));
  return ServerPem{std::move(certificate_pem), std::move(key_pem)};
}

bool CertificateCovers(std::string_view pem, const std::string& host) {
  const OpensslPtr<X509> certificate(PEM_read_bio_X509(BioOf(pem).get(), nullptr, nullptr, nullptr));
  return certificate != nullptr && (X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1 ||
                                    X509_check_host(certificate.get(), host.data(), host.size(),
                                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1);
}

std::vector<std::string> HostsOfCertificate(std::string_view pem) {
  const OpensslPtr<X509> certificate(PEM_read_bio_X509(BioOf(pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) return {};
  const OpensslPtr<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> hosts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (auto host = HostOf(*sk_GENERAL_NAME_value(names.get(), i)); !host.empty()) hosts.push_back(std::move(host));
  }
  return hosts;
}

Status CheckTls(const std::optional<TlsOptions>& options, std::string_view address, Time now) {
  return options ? ReadTlsFiles(*options, now).status() : RefusePlaintext(address);
}

std::string FingerprintOf(const TlsOptions& options) {
  return FingerprintOf({options.ca, options.certificate, options.key});
}

std::string FingerprintOf(std::initializer_list<fs::path> files) {
  std::string all;
  for (const fs::path& file : files) {
    struct stat info {};
    if (stat(file.c_str(), &info) != 0) return "";
    all += std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) + ":" + std::to_string(info.st_size) + ":" +
           std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + ";";
  }
  return all;
}

} // namespace avocet

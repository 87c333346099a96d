#include "messages/tls/tls_authority.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>

#include <openssl/pem.h>

#include "messages/check.h"
#include "messages/files.h"
#include "messages/ids.h"
#include "messages/tls/openssl.h"
#include "messages/tls/tls_files.h"

namespace avocet {
namespace {

namespace fs = std::filesystem;
using Time = std::chrono::system_clock::time_point;

constexpr int kSerialBits = 127;                     // random: nothing else tells two authorities' certificates apart
constexpr auto kClockSkew = std::chrono::minutes(5); // of machines whose clock runs behind
constexpr auto kDay = std::chrono::hours(24);

Status Failed(const std::string& what) {
  return Internal("OpenSSL cannot " + what + ": " + OpensslError());
}

// ---- files ----

Status WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Unavailable(ErrnoText());
    text.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(file) == 0 ? Status{} : Unavailable(ErrnoText());
}

/// Written aside, synced, renamed: a reader sees the old contents or the new. Never wider than `mode`.
Status WriteFile(const fs::path& file, std::string_view text, mode_t mode) {
  const fs::path aside = file.string() + ".new";
  unlink(aside.c_str());
  const Fd out(open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!out.ok()) return Unavailable("cannot write '" + aside.string() + "': " + ErrnoText());
  if (const Status written = WriteAll(out.get(), text); !written.ok())
    return written.WithContext("cannot write '" + aside.string() + "'");
  if (rename(aside.c_str(), file.c_str()) != 0)
    return Unavailable("cannot replace '" + file.string() + "': " + ErrnoText());
  return {};
}

constexpr size_t kMaxTextBytes = size_t{1} << 20; ///< of a key or certificate

Result<std::string> ReadText(const fs::path& file) {
  auto text = ReadWholeFile(file, kMaxTextBytes);
  if (text.status().code() == StatusCode::kNotFound)
    return NotFound(text.status().message() + "; make an authority with `avocet tls init` first");
  return text;
}

Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (made) fs::permissions(folder, fs::perms::owner_all, error);
  return error ? Unavailable("cannot make the folder '" + folder.string() + "': " + error.message()) : Status{};
}

fs::path CaCertificate(const fs::path& directory) {
  return directory / "ca.pem";
}
fs::path CaKey(const fs::path& directory) {
  return directory / "ca.key";
}

// ---- certificates ----

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

std::string ToPem(X509* certificate) {
  const OpensslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return TextOf(bio.get());
}

std::string ToPem(EVP_PKEY* key) {
  const OpensslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(bio.get());
}

Status SetSerial(X509* certificate) {
  const OpensslPtr<BIGNUM> number(BN_new());
  const bool set = BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                   BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
  return set ? Status{} : Failed("make a serial number");
}

struct Validity {
  Time begin;
  Time end;
};

Status SetSubject(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [name](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  return add("O", "Avocet") && add("CN", common_name) ? Status{} : Failed("set the subject");
}

struct Extension {
  int nid;
  std::string value; ///< in the notation of OpenSSL's configuration files
};

Status AddExtensions(X509* certificate, X509* issuer, const std::vector<Extension>& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const auto& one : extensions) {
    const OpensslPtr<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, one.nid, one.value.c_str()));
    if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1)
      return Failed("add the extension " + std::string(OBJ_nid2sn(one.nid)) + "=" + one.value);
  }
  return {};
}

/// Everything of a certificate but its issuer, extensions and signature.
Result<OpensslPtr<X509>> Draft(EVP_PKEY* key, const std::string& common_name, const Validity& validity) {
  OpensslPtr<X509> certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), X509_VERSION_3) != 1)
    return Failed("make a certificate");
  AVOCET_RETURN_IF_ERROR(SetSerial(certificate.get()));
  AVOCET_RETURN_IF_ERROR(SetSubject(certificate.get(), common_name));
  const auto seconds = [](Time time) { return std::chrono::system_clock::to_time_t(time); };
  if (ASN1_TIME_set(X509_getm_notBefore(certificate.get()), seconds(validity.begin)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate.get()), seconds(validity.end)) == nullptr ||
      X509_set_pubkey(certificate.get(), key) != 1)
    return Failed("fill a certificate");
  return certificate;
}

struct Issuer {
  X509* certificate;
  EVP_PKEY* key;
};

Status Sign(X509* certificate, const Issuer& issuer, const std::vector<Extension>& extensions) {
  if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate)) != 1)
    return Failed("set the issuer");
  AVOCET_RETURN_IF_ERROR(AddExtensions(certificate, issuer.certificate, extensions));
  return X509_sign(certificate, issuer.key, EVP_sha256()) > 0 ? Status{} : Failed("sign the certificate");
}

Result<OpensslPtr<EVP_PKEY>> MakeKey() {
  OpensslPtr<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failed("make a key");
  return key;
}

// ---- the authority ----

/// What stays trusted besides the new authority's certificate: the youngest of the old ones.
Result<std::string> StillTrusted(const AuthorityOptions& options) {
  if (!options.rotate) return std::string();
  AVOCET_ASSIGN_OR_RETURN(auto text, ReadText(CaCertificate(options.directory)));
  const OpensslPtr<X509> first(PEM_read_bio_X509(BioOf(text).get(), nullptr, nullptr, nullptr));
  if (first == nullptr) return Corruption("'" + CaCertificate(options.directory).string() + "' holds no certificate");
  return ToPem(first.get());
}

Status RefuseToReplace(const AuthorityOptions& options) {
  const fs::path key = CaKey(options.directory);
  if (options.force || options.rotate || !(fs::exists(key) || fs::exists(CaCertificate(options.directory)))) return {};
  return AlreadyExists("there is an authority in '" + options.directory.string() +
                       "' already; --rotate replaces it and keeps the old one trusted, --force replaces it at once");
}

struct LoadedAuthority {
  std::string ca_pem; ///< the whole file: what processes shall trust
  OpensslPtr<X509> certificate;
  OpensslPtr<EVP_PKEY> key;
};

Result<LoadedAuthority> LoadAuthority(const fs::path& directory) {
  AVOCET_ASSIGN_OR_RETURN(auto pem, ReadText(CaCertificate(directory)));
  AVOCET_ASSIGN_OR_RETURN(auto key, ReadText(CaKey(directory)));
  LoadedAuthority authority{std::move(pem), nullptr, nullptr};
  authority.certificate.reset(PEM_read_bio_X509(BioOf(authority.ca_pem).get(), nullptr, nullptr, nullptr));
  authority.key.reset(PEM_read_bio_PrivateKey(BioOf(key).get(), nullptr, nullptr, nullptr));
  if (authority.certificate == nullptr || authority.key == nullptr ||
      X509_check_private_key(authority.certificate.get(), authority.key.get()) != 1)
    return Corruption("'" + directory.string() + "' holds no authority: ca.pem and ca.key are damaged or not a pair (" +
                      OpensslError() + ")");
  return authority;
}

// ---- issuing ----

bool IsIp(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

bool IsHost(const std::string& host) {
  constexpr size_t kMaxHostBytes = 253;
  const auto is_host_char = [](char c) { return IsName(std::string(1, c)) || c == '-' || c == '.' || c == '_'; };
  return IsIp(host) || (!host.empty() && host.size() <= kMaxHostBytes && host[0] != '-' && host[0] != '.' &&
                        std::all_of(host.begin(), host.end(), is_host_char));
}

bool Serves(Role role) {
  return role == Role::kController || role == Role::kAgent;
}

std::vector<std::string> HostsOf(const IssueOptions& options) {
  std::vector<std::string> hosts;
  if (Serves(options.identity.role)) hosts = {options.identity.name, "localhost", "127.0.0.1", "::1"};
  std::copy_if(options.hosts.begin(), options.hosts.end(), std::back_inserter(hosts),
               [&](const auto& host) { return std::find(hosts.begin(), hosts.end(), host) == hosts.end(); });
  return hosts;
}

/// What the certificate that is to be replaced covers beyond the options; nothing where it cannot be read.
std::vector<std::string> KeptHosts(const IssueOptions& options, const fs::path& certificate) {
  const auto pem = ReadWholeFile(certificate, kMaxTextBytes);
  if (!pem.ok()) return {};
  std::vector<std::string> kept = HostsOfCertificate(*pem);
  const auto known = HostsOf(options);
  std::erase_if(kept, [&](const auto& host) { return std::find(known.begin(), known.end(), host) != known.end(); });
  return kept;
}

std::string AlternativeNames(const IssueOptions& options) {
  std::string names = "URI:" + ToUri(options.identity);
  for (const auto& host : HostsOf(options))
    names += (IsIp(host) ? ",IP:" : ",DNS:") + host;
  return names;
}

std::string Usage(Role role) {
  switch (role) {
  case Role::kController:
    return "serverAuth";
  case Role::kAgent:
    return "clientAuth,serverAuth"; // it dials the controller and serves inference
  case Role::kAdmin:
  case Role::kClient:
  case Role::kLocal:
    return "clientAuth";
  }
  return "clientAuth";
}

Time EndOf(const X509& certificate) {
  std::tm parts{};
  ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts);
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

TlsOptions FilesOf(const IssueOptions& options) {
  const fs::path folder =
      options.directory / (std::string(ToString(options.identity.role)) + "-" + options.identity.name);
  return {.ca = folder / "ca.pem", .certificate = folder / "cert.pem", .key = folder / "key.pem"};
}

struct KeyAndCertificate {
  OpensslPtr<EVP_PKEY> key;
  OpensslPtr<X509> certificate;
};

Result<KeyAndCertificate> MakeCertificate(const IssueOptions& options, const LoadedAuthority& authority) {
  AVOCET_ASSIGN_OR_RETURN(auto key, MakeKey());
  const Validity validity{options.now - kClockSkew,
                          std::min(options.now + options.days * kDay, EndOf(*authority.certificate))};
  AVOCET_ASSIGN_OR_RETURN(auto certificate, Draft(key.get(), options.identity.name, validity));
  AVOCET_RETURN_IF_ERROR(Sign(certificate.get(), {authority.certificate.get(), authority.key.get()},
                              {{NID_basic_constraints, "critical,CA:FALSE"},
                               {NID_key_usage, "critical,digitalSignature"},
                               {NID_ext_key_usage, Usage(options.identity.role)},
                               {NID_subject_alt_name, AlternativeNames(options)},
                               {NID_subject_key_identifier, "hash"},
                               {NID_authority_key_identifier, "keyid:always"}}));
  return KeyAndCertificate{std::move(key), std::move(certificate)};
}

/// The key first: a process that reads in between sees a pair that does not match, and keeps what it has.
Status WriteFiles(const TlsOptions& files, const std::string& ca_pem, const KeyAndCertificate& made) {
  AVOCET_RETURN_IF_ERROR(MakeFolder(files.key.parent_path()));
  AVOCET_RETURN_IF_ERROR(WriteFile(files.key, ToPem(made.key.get()), 0600));
  AVOCET_RETURN_IF_ERROR(WriteFile(files.ca, ca_pem, 0644));
  return WriteFile(files.certificate, ToPem(made.certificate.get()), 0644);
}

} // namespace

Result<Authority> CreateAuthority(const AuthorityOptions& options) {
  AVOCET_RETURN_IF_ERROR(RefuseToReplace(options));

  AVOCET_ASSIGN_OR_RETURN(const auto trusted, StillTrusted(options));
  AVOCET_ASSIGN_OR_RETURN(const auto key, MakeKey());
  const Validity validity{options.now - kClockSkew, options.now + kAuthorityDays * kDay};

  AVOCET_ASSIGN_OR_RETURN(const auto certificate, Draft(key.get(), "Avocet authority", validity));
  AVOCET_RETURN_IF_ERROR(Sign(certificate.get(), {certificate.get(), key.get()},
                              {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                               {NID_key_usage, "critical,keyCertSign,cRLSign"},
                               {NID_subject_key_identifier, "hash"}}));

  const Authority authority{CaCertificate(options.directory), CaKey(options.directory), EndOf(*certificate)};
  AVOCET_RETURN_IF_ERROR(MakeFolder(options.directory));
  // The key first: a certificate on disk means that its key is there, too.
  AVOCET_RETURN_IF_ERROR(WriteFile(authority.key, ToPem(key.get()), 0600));
  AVOCET_RETURN_IF_ERROR(WriteFile(authority.certificate, ToPem(certificate.get()) + trusted, 0644));

  return authority;
}

Status Validate(const IssueOptions& options) {
  Check check("certificate", options.identity.name);
  check.Name("name", options.identity.name)
      .That(ParseRole(ToString(options.identity.role)).has_value(), "role", ToString(options.identity.role),
            "controller, agent, admin or client")
      .That(options.days >= 1 && options.days <= kMaxCertificateDays, "days", options.days, "from 1 to 825");
  for (const auto& host : options.hosts)
    check.That(IsHost(host), "host", host, "a host name or an IP address, without a port");
  return check.status();
}

Result<IssuedCertificate> IssueCertificate(const IssueOptions& asked) {
  AVOCET_RETURN_IF_ERROR(Validate(asked));
  const TlsOptions files = FilesOf(asked);
  const auto kept = KeptHosts(asked, files.certificate);
  IssueOptions options = asked;
  options.hosts.insert(options.hosts.end(), kept.begin(), kept.end());

  if (!options.force && fs::exists(files.certificate))
    return AlreadyExists("there is a certificate in '" + files.certificate.string() +
                         "' already; --force replaces it (to renew it)");
  AVOCET_ASSIGN_OR_RETURN(const auto authority, LoadAuthority(options.directory));
  if (options.now >= EndOf(*authority.certificate))
    return InvalidArgument("the authority in '" + options.directory.string() +
                           "' has expired; make a new one with `avocet tls init --rotate`");
  AVOCET_ASSIGN_OR_RETURN(const auto made, MakeCertificate(options, authority));
  AVOCET_RETURN_IF_ERROR(WriteFiles(files, authority.ca_pem, made));
  return IssuedCertificate{files, options.identity, HostsOf(options), kept, EndOf(*made.certificate)};
}

} // namespace avocet

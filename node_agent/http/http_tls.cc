#include "node_agent/http/http_tls.h"

#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>

namespace avocet {
namespace {

namespace asio = boost::asio;

/// The files' contents were checked, so that OpenSSL takes them.
std::shared_ptr<asio::ssl::context> MakeContext(const ServerPem& pem) {
  using Context = asio::ssl::context;
  auto context = std::make_shared<Context>(Context::tls_server);
  context->set_options(Context::default_workarounds | Context::no_sslv2 | Context::no_sslv3 | Context::no_tlsv1 |
                       Context::no_tlsv1_1);
  boost::system::error_code error;
  context->use_certificate_chain(asio::buffer(pem.certificate), error);
  if (!error) context->use_private_key(asio::buffer(pem.key), Context::pem, error);
  return error ? nullptr : context;
}

} // namespace

Result<std::unique_ptr<HttpTls>> HttpTls::Open(const ServerCertificate& files) {
  AVOCET_ASSIGN_OR_RETURN(auto opened, CertificateFiles::Open(files, "rest"));
  std::unique_ptr<HttpTls> tls(new HttpTls(std::move(opened)));
  if (tls->Context() != nullptr) return tls;
  return InvalidArgument("certificate " + files.certificate.string() + " cannot be used by OpenSSL");
}

std::shared_ptr<asio::ssl::context> HttpTls::Context() {
  const std::lock_guard lock(mutex_);
  auto current = files_->Current();
  if (current == used_) return context_;

  used_ = std::move(current);
  if (auto context = MakeContext(*used_)) context_ = std::move(context);
  return context_;
}

} // namespace avocet

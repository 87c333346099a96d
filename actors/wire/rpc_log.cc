#include "actors/wire/rpc_log.h"

#include <chrono>
#include <mutex>

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

#include "messages/log_budget.h"
#include "messages/text.h"
#include "messages/tls/tls_refusals.h"

namespace avocet {
namespace {

constexpr int kBurst = 100;
constexpr Duration kInterval = std::chrono::seconds(1);
constexpr size_t kMaxReasonBytes = 300;

/// What OpenSSL calls it, and what it means here.
struct Meaning {
  std::string_view said;
  std::string_view means;
};
constexpr Meaning kMeanings[] = {
    {"wrong version number", "not TLS: plain text or garbage"},
    {"http request", "not TLS: plain HTTP"},
    {"unsupported protocol", "older than TLS 1.3"},
    {"no shared cipher", "older than TLS 1.3"},
    {"peer did not return a certificate", "no certificate"},
    {"certificate verify failed", "certificate refused"},
    {"Handshake timed out", "handshake not finished in time"},
    {"Socket closed", "the peer gave up; perhaps it does not trust this server's certificate"},
};

/// The text between `begin` and `end`, from the last `begin`.
std::string_view Between(std::string_view line, std::string_view begin, std::string_view end) {
  const size_t at = line.rfind(begin);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = line.substr(at + begin.size());
  return rest.substr(0, rest.find(end));
}

/// The message of the innermost error: errors are "CODE:message {key:value, children:[error]}".
std::string_view Innermost(std::string_view error) {
  const size_t children = error.rfind("children:[");
  if (children != std::string_view::npos) error.remove_prefix(children + std::string_view("children:[").size());
  error.remove_prefix(std::min(error.find(':') + 1, error.size()));
  return error.substr(0, error.find(" {"));
}

std::string Explained(std::string_view message) {
  for (const Meaning& meaning : kMeanings)
    if (message.find(meaning.said) != std::string_view::npos)
      return std::string(meaning.means) + " (" + ToText(message, kMaxReasonBytes) + ")";
  return ToText(message, kMaxReasonBytes);
}

/// One for the process: the limit is on the log.
class BoundedLog {
public:
  template <class... Args> void Warn(spdlog::format_string_t<Args...> format, Args&&... args) {
    const std::lock_guard lock(mutex_);
    if (!budget_.Take(std::chrono::steady_clock::now())) return;
    if (const uint64_t dropped = budget_.TakeDropped(); dropped > 0)
      spdlog::warn("refusals not logged count={}", dropped);
    spdlog::warn(format, std::forward<Args>(args)...);
  }

private:
  std::mutex mutex_;
  LogBudget budget_{kBurst, kInterval};
};

BoundedLog& Log() {
  static auto* const kLog = new BoundedLog; // gRPC's threads outlive static objects
  return *kLog;
}

void OnRpcLine(gpr_log_func_args* line) {
  const std::string_view message(line->message);
  if (const auto failed = ParseFailedHandshake(message))
    Log().Warn("connection refused reason=\"{}\" peer={}", failed->reason, failed->peer);
  else if (line->severity == GPR_LOG_SEVERITY_ERROR && !message.starts_with("Handshake failed"))
    Log().Warn("gRPC reports an error reason=\"{}\"", ToText(message, kMaxReasonBytes));
}

/// Of a program whose statuses say all that its user needs.
void OnQuietRpcLine(gpr_log_func_args* line) {
  spdlog::debug("gRPC says text=\"{}\"", ToText(line->message, kMaxReasonBytes));
}

void OnRefusedCertificate(const CertificateRefusal& refusal) {
  Log().Warn("certificate refused reason=\"{}\" certificate=\"{}\"", refusal.reason, refusal.certificate);
}

} // namespace

std::optional<FailedHandshake> ParseFailedHandshake(std::string_view line) {
  // Security handshakes have logged a line of their own before, with the same error.
  constexpr std::string_view kBegin = "Handshaking failed: ";
  if (!line.starts_with(kBegin)) return std::nullopt;
  line.remove_prefix(kBegin.size());
  return FailedHandshake{Explained(Innermost(line)), ToText(Between(line, "target_address:\"", "\""), kMaxLabelBytes)};
}

void LogRefusedCall(const std::string& peer, const Status& refusal) {
  Log().Warn("call refused reason=\"{}\" peer={}", refusal.message(), peer);
}

void QuietRpcLog() {
  gpr_set_log_function(OnQuietRpcLine);
}

void RouteRpcLog() {
  static std::once_flag once;
  std::call_once(once, [] {
    ObserveRefusals(OnRefusedCertificate);
    gpr_set_log_function(OnRpcLine);
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_DEBUG); // gRPC thinks failed handshakes worth no more
  });
}

} // namespace avocet

#include "actors/wire/rpc_failure.h"

#include <string_view>

#include "actors/wire/rpc_status.h"
#include "messages/text.h"

namespace avocet {
namespace {

constexpr size_t kMaxReasonBytes = 300;

bool Says(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

/// gRPC's own words, of the policies pick_first (the command line) and round_robin (the link).
bool NeverConnected(std::string_view said) {
  return said.starts_with("failed to connect to all addresses") ||
         said.starts_with("connections to all backends failing");
}

/// gRPC's own words for the end of a connection that stood.
bool IsLostConnection(std::string_view said) {
  for (const std::string_view words : {"Socket closed", "Connection reset", "Broken pipe", "GOAWAY", "FD Shutdown",
                                       "keepalive watchdog timeout", "Transport closed", "Stream removed", "recvmsg:"})
    if (Says(said, words)) return true;
  return false;
}

/// The reason behind gRPC's "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: reason".
std::string ReasonOf(std::string_view said, const std::string& address) {
  const size_t peer = said.rfind(address + ": ");
  if (peer != std::string_view::npos) said.remove_prefix(peer + address.size() + 2);
  return ToText(said.substr(0, said.find(" {")), kMaxReasonBytes);
}

/// After a mark that gRPC puts before a text of our own; empty when there is none.
std::string_view After(std::string_view said, std::string_view mark) {
  const size_t at = said.rfind(mark);
  return at == std::string_view::npos ? std::string_view() : said.substr(at + mark.size());
}

std::string Controller(const RpcAttempt& attempt) {
  return "controller " + attempt.address;
}

Status Refused(const RpcAttempt& attempt) {
  return Unavailable("nothing listens at " + attempt.address +
                     " (connection refused): start the controller there, or " + "name another address (" +
                     attempt.address_from + ")");
}

Status WantsTls(const RpcAttempt& attempt) {
  return Unavailable(Controller(attempt) + " speaks TLS, and this was sent in plain text: give " + attempt.tls_from +
                     " (`avocet tls --help`)");
}

Status WantsPlainText(const RpcAttempt& attempt) {
  return Unavailable(Controller(attempt) + " speaks plain text, and this was sent with TLS: leave out " +
                     attempt.tls_from + ", or give the controller a certificate ([tls] in controller.toml)");
}

/// The handshake of TLS, or what came in its place.
std::optional<Status> ExplainHandshake(std::string_view said, const RpcAttempt& attempt) {
  constexpr std::string_view kOurs = "UNAUTHENTICATED: "; // of the verifier in messages/tls/tls_credentials.cc
  if (Says(said, "wrong version number") || Says(said, "http request")) return WantsPlainText(attempt);
  if (Says(said, "verification check failed") && !After(said, kOurs).empty())
    return Unavailable(Controller(attempt) + ": " + ToText(After(said, kOurs), kMaxReasonBytes));
  if (Says(said, "certificate verify failed"))
    return Unavailable(Controller(attempt) +
                       " shows a certificate that does not descend from the authority that was named" +
                       ", or that is out of date; see " + attempt.tls_from);
  if (Says(said, " alert "))
    return Unavailable(Controller(attempt) + " refused this certificate (" + ReasonOf(said, attempt.address) +
                       "); its log says why");
  return std::nullopt;
}

Status ExplainConnect(std::string_view said, const RpcAttempt& attempt, AsksForTls speaks_tls) {
  if (Says(said, "Connection refused")) return Refused(attempt);
  if (const auto handshake = ExplainHandshake(said, attempt)) return *handshake;
  if (Says(said, "Failed parsing HTTP/2") || Says(said, "SETTINGS frame"))
    return Unavailable("what listens at " + attempt.address + " is no controller: it does not speak gRPC; see " +
                       attempt.address_from);

  const bool closed = IsLostConnection(said);
  if (closed && !attempt.tls && speaks_tls != nullptr && speaks_tls(attempt.address)) return WantsTls(attempt);
  if (closed && attempt.tls)
    return Unavailable(Controller(attempt) + " closed the connection before it answered: it does not trust this " +
                       "certificate, or has too many connections; its log says which");
  if (closed)
    return Unavailable(Controller(attempt) + " closed the connection before it answered: it has too many, or stops");
  return Unavailable(Controller(attempt) + " cannot be reached: " + ReasonOf(said, attempt.address) + "; see " +
                     attempt.address_from);
}

std::string InSeconds(Duration duration) {
  std::string text = std::to_string(ToSeconds(duration));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " s";
}

Status ExplainDeadline(const RpcAttempt& attempt) {
  if (attempt.connected)
    return DeadlineExceeded(Controller(attempt) + " did not answer " + attempt.asked + " within " +
                            InSeconds(attempt.deadline) + ": it is busy, or stands still");
  return DeadlineExceeded("no connection to " + Controller(attempt) + " within " + InSeconds(attempt.deadline) +
                          ", for " + attempt.asked + ": its process stands still, or the network drops what is sent");
}

} // namespace

std::optional<Status> ExplainRpcFailure(const grpc::Status& status, const RpcAttempt& attempt, AsksForTls speaks_tls) {
  const std::string said = status.error_message();
  const Status ours = FromRpcStatus(status);

  if (ours.code() == StatusCode::kDeadlineExceeded && said == "Deadline Exceeded") return ExplainDeadline(attempt);
  if (said.starts_with("DNS resolution failed"))
    return Unavailable("the host of '" + attempt.address + "' is not known: " +
                       ToText(said.substr(said.rfind(": ") + 2), kMaxReasonBytes) + "; see " + attempt.address_from);
  if (NeverConnected(said)) return ExplainConnect(said, attempt, speaks_tls);
  if (ours.code() == StatusCode::kUnavailable && IsLostConnection(said))
    return Unavailable("the connection to " + Controller(attempt) + " ended before it answered " + attempt.asked +
                       ": it stopped, or the network was cut");
  if (ours.code() == StatusCode::kUnsupported && attempt.connected && said.empty())
    return Unsupported(Controller(attempt) + " does not know " + attempt.asked + ": it is of another version");
  if (said.empty())
    return Status(ours.code(), Controller(attempt) + " refused " + attempt.asked + " and gave no reason (" +
                                   std::string(ToString(ours.code())) + ")");
  return std::nullopt;
}

} // namespace avocet

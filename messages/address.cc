#include "messages/address.h"

#include <arpa/inet.h>

#include <charconv>

namespace avocet {
namespace {

Status Malformed(std::string_view text) {
  return InvalidArgument("address '" + std::string(text) + "' is not host:port, e.g. 127.0.0.1:7400");
}

} // namespace

Result<Address> ParseAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return Malformed(text);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find_first_of(":[]") != std::string_view::npos) return Malformed(text);
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::string_view port = text.substr(colon + 1);
  Address address{std::string(host), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || end != port.data() + port.size() || host.empty()) return Malformed(text);
  return address;
}

bool IsLoopback(const Address& address) {
  // Parsed, not compared by its beginning: 127.example.org is a name that anyone may point anywhere.
  in_addr v4{};
  const bool is_v4 = inet_pton(AF_INET, address.host.c_str(), &v4) == 1;
  return address.host == "localhost" || address.host == "::1" || (is_v4 && ntohl(v4.s_addr) >> 24 == 127);
}

Status RequireLoopback(std::string_view text, std::string_view what) {
  AVOCET_ASSIGN_OR_RETURN(auto address, ParseAddress(text));
  if (IsLoopback(address)) return {};
  return InvalidArgument("the " + std::string(what) + " address '" + std::string(text) +
                         "' is not loopback, and there is no encryption on it; use 127.0.0.1");
}

std::string WithPort(std::string_view text, int port) {
  return std::string(text.substr(0, text.rfind(':'))) + ":" + std::to_string(port);
}

} // namespace avocet

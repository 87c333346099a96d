#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/paths.h"
#include "messages/tls_authority.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::system_clock;

constexpr int kIndent = 2;

std::string Date(system_clock::time_point time) {
  const std::time_t seconds = system_clock::to_time_t(time);
  std::tm parts{};
  char text[32];
  gmtime_r(&seconds, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::filesystem::path DirectoryOf(const TlsCommandOptions& options) {
  return options.directory.empty() ? DefaultTlsDir() : options.directory;
}

void Print(const Context& context, const Json& json, const std::string& text) {
  std::cout << (context.render.format == OutputFormat::kJson ? json.dump(kIndent) + "\n" : text);
}

/// What the operator does next with a certificate.
std::string NextStep(const IssuedCertificate& issued) {
  const std::string folder = issued.files.key.parent_path().string();
  switch (issued.identity.role) {
  case Role::kController:
  case Role::kAgent:
    return fmt::format("Copy {} to /etc/avocet/tls on its machine, and name the files in {}.toml:\n\n[tls]\n"
                       "ca = \"/etc/avocet/tls/ca.pem\"\ncertificate = \"/etc/avocet/tls/cert.pem\"\n"
                       "key = \"/etc/avocet/tls/key.pem\"\n",
                       folder, ToString(issued.identity.role));
  case Role::kAdmin:
  case Role::kClient:
  case Role::kLocal:
    return fmt::format("export AVOCET_TLS_CA={0}/ca.pem AVOCET_TLS_CERT={0}/cert.pem AVOCET_TLS_KEY={0}/key.pem\n",
                       folder);
  }
  return "";
}

std::string Text(const IssuedCertificate& issued) {
  std::string hosts;
  for (const auto& host : issued.hosts)
    hosts += (hosts.empty() ? "" : ", ") + host;
  return fmt::format("{}\ncertificate {}\nkey         {} (keep it secret)\nvalid until {}\nhosts       {}\n\n{}",
                     ToUri(issued.identity), issued.files.certificate.string(), issued.files.key.string(),
                     Date(issued.not_after), hosts.empty() ? "none: it serves nothing" : hosts, NextStep(issued));
}

} // namespace

int TlsInitCommand(const Context& context, const TlsCommandOptions& options) {
  const auto made = CreateAuthority({.directory = DirectoryOf(options),
                                     .force = options.force,
                                     .rotate = options.rotate,
                                     .now = system_clock::now()});
  if (!made.ok()) return Fail(context, made.status());
  Print(context,
        {{"v", 1},
         {"ca", made->certificate.string()},
         {"ca_key", made->key.string()},
         {"not_after", Date(made->not_after)}},
        fmt::format("certificate {}\nkey         {} (keep it secret, and off the machines that serve)\nvalid until {}\n"
                    "Next: avocet tls issue --role controller NAME\n",
                    made->certificate.string(), made->key.string(), Date(made->not_after)));
  return kExitOk;
}

int TlsIssueCommand(const Context& context, const TlsCommandOptions& options) {
  const auto role = ParseRole(options.role);
  if (!role)
    return Fail(context, InvalidArgument("role '" + options.role + "' is none of controller, agent, admin, client"));
  const auto issued = IssueCertificate({.directory = DirectoryOf(options),
                                        .identity = {*role, options.name},
                                        .hosts = options.hosts,
                                        .days = options.days,
                                        .force = options.force,
                                        .now = system_clock::now()});
  if (!issued.ok()) return Fail(context, issued.status());
  Print(context,
        {{"v", 1},
         {"identity", ToUri(issued->identity)},
         {"role", ToString(issued->identity.role)},
         {"name", issued->identity.name},
         {"ca", issued->files.ca.string()},
         {"certificate", issued->files.certificate.string()},
         {"key", issued->files.key.string()},
         {"hosts", issued->hosts},
         {"not_after", Date(issued->not_after)}},
        Text(*issued));
  return kExitOk;
}

} // namespace avocet

#include <memory>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/flags.h"
#include "cli/process/paths.h"
#include "cli/render/format.h"
#include "messages/tls/tls_authority.h"

namespace avocet {
namespace {

constexpr const char* kTlsHelp = R"(On loopback nothing of this is needed. To go beyond it:
  avocet tls init                                          once, on a machine of an administrator
  avocet tls issue --role controller ctl --host 10.0.0.5   covers 10.0.0.5, ctl and localhost
  avocet tls issue --role agent jetson-1 --host 10.0.0.7   one for each node; the address that clients dial
  avocet tls issue --role admin ann                        for people and scripts that use this program
Each makes a folder with ca.pem, cert.pem and key.pem. Copy it to its machine and name the files in [tls] of
controller.toml or agent.toml; `issue` prints how. This program takes --tls-ca, --tls-cert, --tls-key, or
AVOCET_TLS_CA, AVOCET_TLS_CERT, AVOCET_TLS_KEY, or else, beyond loopback, the only admin's certificate in the folder.
ca.key can make certificates for everything: it stays where it is. Renew with `issue --force`, which keeps the
hosts; running processes take new files by themselves. Replace the authority with `init --rotate`, then issue all anew: until you delete the
second certificate from ca.pem, both are trusted. docs/SECURITY.md says what this protects, and what not.)";

struct TlsCommandOptions {
  std::filesystem::path directory; ///< of the authority; empty: DefaultTlsDir()
  bool force = false;              ///< replaces what is there
  bool rotate = false;             ///< init: replaces the authority, and the old one stays trusted
  std::string role;                ///< issue: controller, agent, admin or client
  std::string name;
  std::vector<std::string> hosts; ///< issue: names and addresses that it is dialled under
  int days = 365;
};

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
  // Daemons read a file, people set their environment.
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

std::string KeptText(const IssuedCertificate& issued) {
  if (issued.kept.empty()) return "";
  return fmt::format("kept        {}: the certificate before covered it; delete its folder first to drop it\n",
                     fmt::join(issued.kept, ", "));
}

std::string Text(const IssuedCertificate& issued) {
  std::string hosts;
  for (const auto& host : issued.hosts)
    hosts += (hosts.empty() ? "" : ", ") + host;
  return fmt::format("{}\ncertificate {}\nkey         {} (keep it secret)\nvalid until {}\nhosts       {}\n{}\n{}",
                     ToUri(issued.identity), issued.files.certificate.string(), issued.files.key.string(),
                     Date(issued.not_after), hosts.empty() ? "none: it serves nothing" : hosts, KeptText(issued),
                     NextStep(issued));
}

int TlsInitCommand(const Context& context, const TlsCommandOptions& options) {
  const auto made = CreateAuthority({.directory = DirectoryOf(options),
                                     .force = options.force,
                                     .rotate = options.rotate,
                                     .now = system_clock::now()});
  if (!made.ok()) return Fail(context, made.status());

  // The warning stands beside the key, because whoever has it can pose as any member.
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
  // The list is that of roles which may be issued: `local` is never a certificate.
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
         {"kept_hosts", issued->kept},
         {"not_after", Date(issued->not_after)}},
        Text(*issued));
  return kExitOk;
}

void AddDirectory(CLI::App& command, TlsCommandOptions& options) {
  command.add_option("--dir", options.directory, "Folder of the authority [~/.config/avocet/tls]");
}

void AddInit(CommandLine& line, CLI::App& tls) {
  auto options = std::make_shared<TlsCommandOptions>();
  CLI::App& init = line.Add(tls, "init", "Make a private certificate authority",
                            [options](const Context& c) { return TlsInitCommand(c, *options); });
  AddDirectory(init, *options);
  init.add_flag("--rotate", options->rotate, "Replace the authority; what the old one issued stays trusted");
  init.add_flag("--force", options->force, "Replace the authority; nothing that it issued is trusted any more")
      ->excludes("--rotate");
}

void AddIssue(CommandLine& line, CLI::App& tls) {
  auto options = std::make_shared<TlsCommandOptions>();
  CLI::App& issue = line.Add(tls, "issue", "Make the certificate of one process or person",
                             [options](const Context& c) { return TlsIssueCommand(c, *options); });
  issue.footer(kTlsHelp);

  issue.add_option("name", options->name, "Name; an agent's must be that of its node")->required();
  issue.add_option("--role", options->role, "controller, agent, admin (everything) or client (only asks)")
      ->required()
      ->check(OneOf({"controller", "agent", "admin", "client"}));
  AddDirectory(issue, *options);
  // One value for each flag: "--host a NAME" would otherwise take NAME as a host.
  issue.add_option("--host", options->hosts, "Name or IP address it is dialled under; may be repeated")
      ->allow_extra_args(false);
  issue.add_option("--days", options->days, "How long it is valid")->capture_default_str();
  issue.add_flag("--force", options->force, "Replace the certificate that is there, to renew it; hosts are kept");
}

} // namespace

void AddTlsCommands(CommandLine& line) {
  CLI::App& tls = line.Group("tls", "Certificates: who may talk to whom beyond one machine");
  tls.footer(kTlsHelp);
  AddInit(line, tls);
  AddIssue(line, tls);
}

} // namespace avocet

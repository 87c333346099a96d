#include "tests/support/operator.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include <gtest/gtest.h>
#include <sched.h>

namespace avocet {
namespace {

using nlohmann::json;

/// Of a log, printed when a test failed.
constexpr std::streamoff kShownLogBytes = 20000;

/// No file of the user who runs the tests, no controller of theirs.
std::map<std::string, std::string> CleanEnvironment(const std::filesystem::path& home) {
  return {{"HOME", home.string()},
          {"XDG_DATA_HOME", (home / "share").string()},
          {"XDG_CONFIG_HOME", (home / "config").string()},
          {"AVOCET_ADDR", ""},
          {"AVOCET_TLS_CA", ""},
          {"AVOCET_TLS_CERT", ""},
          {"AVOCET_TLS_KEY", ""}};
}

} // namespace

std::filesystem::path SampleModel(const std::string& file) {
  const char* prefix = std::getenv("AVOCET_PREFIX");
  return std::filesystem::path(prefix != nullptr ? prefix : "/opt/avocet") / "share" / "avocet" / "models" / file;
}

std::filesystem::path EmulatedModel(const std::string& file) {
  return std::filesystem::path(AVOCET_SOURCE_DIR) / "deploy" / "models" / file;
}

std::string ToToml(const AppFile& app) {
  std::ostringstream text;
  text << "name = \"" << app.name << "\"\nmodel = \"" << app.model << "\"\nrate_rps = " << std::fixed << app.rate_rps
       << "\nobjective = { statistic = \"p95\", latency_ms = " << app.p95_ms << " }\n[placement]\ndevice_kinds = [\""
       << app.kind << "\"]\n";
  return text.str();
}

int LastCore() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  sched_getaffinity(0, sizeof cores, &cores);
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &cores))
    --last;
  return last;
}

ProcessOptions Operator::Command(const std::vector<std::string>& arguments) const {
  ProcessOptions options{.command = prefix_, .stderr_file = {}, .environment = environment_};
  options.environment.merge(CleanEnvironment(folder()));
  options.command.emplace_back(AVOCET_BINARY);
  options.command.insert(options.command.end(), arguments.begin(), arguments.end());
  options.command.insert(options.command.end(), {"--addr", control_});
  return options;
}

CommandResult Operator::Run(const std::vector<std::string>& arguments) const {
  return RunToEnd(Command(arguments), 2 * kPatience);
}

std::unique_ptr<Process> Operator::Spawn(const std::vector<std::string>& arguments) const {
  ProcessOptions options = Command(arguments);
  options.stderr_file = folder() / "commands.log";
  return std::make_unique<Process>(options);
}

json Operator::Json(const std::vector<std::string>& arguments) const {
  auto all = arguments;
  all.insert(all.end(), {"-o", "json", "-q"});
  const CommandResult result = Run(all);
  EXPECT_EQ(result.exit_code, 0) << testing::PrintToString(arguments) << "\n" << result.out << result.err;
  if (result.exit_code != 0) return nullptr;
  json parsed = json::parse(result.out, nullptr, false);
  EXPECT_TRUE(parsed.is_object()) << testing::PrintToString(arguments) << "\n" << result.out;
  return parsed;
}

std::filesystem::path Operator::Write(const std::string& name, const std::string& text) const {
  std::ofstream(folder() / name) << text;
  return folder() / name;
}

std::filesystem::path Operator::Write(const AppFile& app) const {
  return Write(app.name + ".toml", ToToml(app));
}

bool Operator::WaitUntilServing() const {
  return Eventually(
      [&] {
        const json devices = Json({"device", "list"}), apps = Json({"app", "list"});
        if (devices.is_null() || apps.is_null()) return false;
        bool serving = !devices["devices"].empty();
        for (const auto& device : devices["devices"])
          serving = serving && device["health"] == "healthy";
        for (const auto& app : apps["apps"])
          serving = serving && app["phase"] == "ready";
        return serving;
      },
      kPatience);
}

std::unique_ptr<Process> Operator::StartProgram(const std::vector<std::string>& command, const std::string& log) const {
  std::ofstream(folder() / log, std::ios::app) << "---- start\n";
  return std::make_unique<Process>(
      ProcessOptions{.command = command, .stderr_file = folder() / log, .environment = CleanEnvironment(folder())});
}

std::string Operator::EndOf(const std::string& log) const {
  std::ifstream in(folder() / log, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg();
  in.seekg(size > kShownLogBytes ? size - kShownLogBytes : 0);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void Operator::PrintLogsOfFailure(const std::vector<std::string>& logs) const {
  if (!testing::Test::HasFailure() && testing::UnitTest::GetInstance()->failed_test_count() == 0) return;
  for (const auto& log : logs)
    std::cerr << "---- " << log << " ----\n" << EndOf(log) << "----\n";
}

CommandResult RunAvocet(const std::vector<std::string>& arguments) {
  const TempDir home;
  std::vector<std::string> command{AVOCET_BINARY};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunToEnd({.command = command, .stderr_file = {}, .environment = CleanEnvironment(home.path())}, kPatience);
}

} // namespace avocet

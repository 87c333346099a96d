#include "tests/support/dev_cluster.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <sched.h>

namespace avocet {
namespace {

using nlohmann::json;

/// Of a log, printed when a test failed.
constexpr std::streamoff kShownLogBytes = 20000;

/// The last core that this process may run on.
int LastCore() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  sched_getaffinity(0, sizeof cores, &cores);
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &cores))
    --last;
  return last;
}

std::string Config() {
  return R"(name = "box"
[[device]]
name = "cpu0"
kind = "cpu"
engine = "tflite"
memory_mb = 512
cores = [)" +
         std::to_string(LastCore()) + R"(]
[[device]]
name = "gpu0"
kind = "gpu"
discipline = "time_shared"
engine = "emulated"
memory_mb = 3964
[[device]]
name = "tpu0"
kind = "edgetpu"
engine = "emulated"
memory_mb = 3800
)";
}

std::string EndOf(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg();
  in.seekg(size > kShownLogBytes ? size - kShownLogBytes : 0);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// No file of the user who runs the tests, no controller of theirs.
std::map<std::string, std::string> CleanEnvironment(const std::filesystem::path& home) {
  return {{"HOME", home.string()}, {"XDG_DATA_HOME", (home / "share").string()}, {"AVOCET_ADDR", ""}};
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

DevCluster::DevCluster() {
  Write("dev.toml", Config());
}

DevCluster::~DevCluster() {
  process_.reset();
  const bool failed = testing::Test::HasFailure() || testing::UnitTest::GetInstance()->failed_test_count() > 0;
  if (failed) std::cerr << "---- log of avocet dev ----\n" << EndOf(folder() / "log") << "----\n";
}

std::vector<std::string> DevCluster::DevCommand() const {
  return {AVOCET_BINARY, "dev",         "--config", (folder() / "dev.toml").string(),
          "--data-dir",  data_dir(),    "--listen", "127.0.0.1:0",
          "--inference", "127.0.0.1:0", "-o",       "json"};
}

void DevCluster::Launch() {
  process_.reset();
  std::ofstream(folder() / "log", std::ios::app) << "---- start\n";
  process_ = std::make_unique<Process>(ProcessOptions{
      .command = DevCommand(), .stderr_file = folder() / "log", .environment = CleanEnvironment(folder())});
}

void DevCluster::Start() {
  Launch();
  const auto line = process_->ReadLine(kPatience);
  const json said = json::parse(line.value_or(""), nullptr, false);
  if (!said.is_object() || !said.contains("control") || !said.contains("inference"))
    throw std::runtime_error("avocet dev did not start; it said: " + line.value_or("nothing") + "\n" +
                             EndOf(folder() / "log"));
  control_ = said["control"];
  inference_ = said["inference"];
}

ProcessOptions DevCluster::Command(const std::vector<std::string>& arguments) const {
  ProcessOptions options{.command = {AVOCET_BINARY}, .stderr_file = {}, .environment = CleanEnvironment(folder())};
  options.command.insert(options.command.end(), arguments.begin(), arguments.end());
  options.command.insert(options.command.end(), {"--addr", control_});
  return options;
}

CommandResult DevCluster::Run(const std::vector<std::string>& arguments) const {
  return RunToEnd(Command(arguments), 2 * kPatience);
}

std::unique_ptr<Process> DevCluster::Spawn(const std::vector<std::string>& arguments) const {
  ProcessOptions options = Command(arguments);
  options.stderr_file = folder() / "commands.log";
  return std::make_unique<Process>(options);
}

json DevCluster::Json(const std::vector<std::string>& arguments) const {
  auto all = arguments;
  all.insert(all.end(), {"-o", "json", "-q"});
  const CommandResult result = Run(all);
  EXPECT_EQ(result.exit_code, 0) << testing::PrintToString(arguments) << "\n" << result.out << result.err;
  if (result.exit_code != 0) return nullptr;
  json parsed = json::parse(result.out, nullptr, false);
  EXPECT_TRUE(parsed.is_object()) << testing::PrintToString(arguments) << "\n" << result.out;
  return parsed;
}

std::filesystem::path DevCluster::Write(const std::string& name, const std::string& text) const {
  std::ofstream(folder() / name) << text;
  return folder() / name;
}

std::filesystem::path DevCluster::Write(const AppFile& app) const {
  return Write(app.name + ".toml", ToToml(app));
}

bool DevCluster::WaitUntilServing() const {
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

CommandResult RunAvocet(const std::vector<std::string>& arguments) {
  const TempDir home;
  std::vector<std::string> command{AVOCET_BINARY};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunToEnd({.command = command, .stderr_file = {}, .environment = CleanEnvironment(home.path())}, kPatience);
}

} // namespace avocet

#include <fstream>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dev_cluster.h"

// What the program says when there is no controller: help, usage, broken files, a closed door.
namespace avocet {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;
using Arguments = std::vector<std::string>;

constexpr int kUsage = 64;

/// An address where nobody listens, and nobody else can while this lives.
class ClosedPort {
public:
  ClosedPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, plain, size) != 0 || getsockname(socket_, plain, &size) != 0) return;
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~ClosedPort() { close(socket_); }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;
  const std::string& address() const { return address_; }

private:
  int socket_;
  std::string address_;
};

/// A file in a folder of its own.
class WrittenFile {
public:
  WrittenFile(const std::string& name, const std::string& text) : path_(folder_.path() / name) {
    std::ofstream(path_) << text;
  }
  std::string path() const { return path_.string(); }

private:
  TempDir folder_;
  std::filesystem::path path_;
};

const std::vector<Arguments> kCommands{
    {"version"},        {"node", "list"},    {"node", "doctor"}, {"device", "list"},
    {"events"},         {"model", "import"}, {"model", "list"},  {"model", "profile"},
    {"app", "plan"},    {"app", "apply"},    {"app", "list"},    {"app", "status"},
    {"app", "explain"}, {"app", "rm"},       {"load"},           {"predict"},
    {"replay"},         {"tls", "init"},     {"tls", "issue"},   {"dev"},
    {"demo"},           {"controller"},      {"agent"},          {"simulate"},
    {"capacity"},       {"rebalance"},
};

Arguments With(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Help, EveryCommandExplainsItself) {
  for (const auto& command : kCommands) {
    const auto help = RunAvocet(With(command, {"--help"}));
    EXPECT_EQ(help.exit_code, 0) << testing::PrintToString(command);
    EXPECT_THAT(help.out, HasSubstr("Usage:"));
    EXPECT_THAT(help.out, HasSubstr(command.back()));
    EXPECT_EQ(help.err, "");
  }
}

TEST(Help, NamesEveryCommandAndTheExitCodes) {
  const auto help = RunAvocet({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const auto& command : kCommands)
    EXPECT_THAT(help.out, HasSubstr("\n  " + command.front()));
  EXPECT_THAT(help.out, HasSubstr("0 ok, 1 error, 2 rejected, 3 plan has changes, 4 timed out, 5 denied, 64 usage"));
  for (const std::string group : {"app", "model", "node", "device", "tls"})
    EXPECT_EQ(RunAvocet({group, "--help"}).exit_code, 0) << group;
}

TEST(Usage, WrongCommandLinesExit64AndSayWhy) {
  const std::vector<std::pair<Arguments, std::string>> cases{
      {{}, "subcommand"},
      {{"frobnicate"}, "unknown command 'frobnicate'"},
      {{"node", "lsit"}, "unknown command 'lsit'; did you mean 'list'?"},
      {{"app"}, "subcommand"},
      {{"app", "plan"}, "file"},
      {{"app", "status"}, "name"},
      {{"version", "--nope"}, "--nope"},
      {{"version", "-o", "xml"}, "xml"},
      {{"version", "--timeout", "0"}, "0"},
      {{"model", "import", "/no/such/file.tflite"}, "/no/such/file.tflite"},
      {{"load"}, "targets (or --trace)"},
      {{"load", "a", "--duration", "-1"}, "-1"},
      {{"load", "a", "--protocol", "carrier-pigeon"}, "carrier-pigeon"},
      {{"load", "a", "--trace", "/no/such/trace.csv"}, "/no/such/trace.csv"},
      {{"dev", "--config", "/no/such/dev.toml"}, "/no/such/dev.toml"},
  };
  for (const auto& [arguments, named] : cases) {
    const auto result = RunAvocet(arguments);
    EXPECT_EQ(result.exit_code, kUsage) << testing::PrintToString(arguments);
    EXPECT_THAT(result.err, HasSubstr(named)) << testing::PrintToString(arguments);
    EXPECT_EQ(result.out, "") << testing::PrintToString(arguments);
  }
}

TEST(Version, OfTheProgramNeedsNoController) {
  const auto table = RunAvocet({"version", "--client"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.out, StartsWith("avocet " AVOCET_VERSION " (client)"));
  const json said = json::parse(RunAvocet({"version", "--client", "-o", "json"}).out);
  EXPECT_EQ(said["v"], 1);
  EXPECT_EQ(said["version"], AVOCET_VERSION);
  EXPECT_EQ(said["role"], "client");
}

TEST(NodeDoctor, LooksAtThisMachineWithoutAController) {
  const auto table = RunAvocet({"node", "doctor"});
  EXPECT_EQ(table.exit_code, 0) << "the engines are installed where tests run\n" << table.out << table.err;
  EXPECT_THAT(table.out, AllOf(StartsWith("STATE"), HasSubstr("engine onnx"), HasSubstr("[[device]]")));
  const json said = json::parse(RunAvocet({"node", "doctor", "-o", "json"}).out);
  EXPECT_EQ(said["v"], 1);
  EXPECT_EQ(said["usable"], true);
  EXPECT_TRUE(said["agent_toml"].is_string());
}

TEST(NodeDoctor, WithoutEnginesExits1AndSaysHowToInstallThem) {
  const TempDir empty;
  const auto bare = RunToEnd({.command = {AVOCET_BINARY, "node", "doctor"},
                              .stderr_file = {},
                              .environment = {{"AVOCET_PREFIX", empty.path().string()}}},
                             kPatience);
  EXPECT_EQ(bare.exit_code, 1);
  EXPECT_THAT(bare.out, AllOf(HasSubstr("deploy/install-engines"), HasSubstr("Nothing here can serve models yet")));
}

TEST(Unreachable, EveryCommandExits1AndNamesTheAddress) {
  const ClosedPort nobody;
  const WrittenFile app("app.toml", ToToml({.name = "a", .model = "m"}));
  const WrittenFile model("m.toml", "no model");
  const std::vector<Arguments> commands{
      {"version"},
      {"node", "list"},
      {"device", "list"},
      {"events"},
      {"model", "import", SampleModel("face_detection_short_range.tflite").string()},
      {"model", "list"},
      {"model", "profile", "m"},
      {"app", "plan", app.path()},
      {"app", "apply", app.path()},
      {"app", "list"},
      {"app", "status", "a"},
      {"app", "explain", "a"},
      {"app", "rm", "a"},
      {"load", "a"},
  };
  for (const auto& command : commands) {
    const auto table = RunAvocet(With(command, {"--addr", nobody.address(), "-q"}));
    EXPECT_EQ(table.exit_code, 1) << testing::PrintToString(command);
    EXPECT_THAT(table.err, AllOf(StartsWith("error: "), HasSubstr(nobody.address())));
    EXPECT_EQ(table.out, "");
    const auto machine = RunAvocet(With(command, {"--addr", nobody.address(), "-q", "-o", "json"}));
    EXPECT_EQ(machine.exit_code, 1) << testing::PrintToString(command);
    const json said = json::parse(machine.out, nullptr, false);
    ASSERT_TRUE(said.is_object() && said.contains("error")) << machine.out;
    EXPECT_EQ(said["v"], 1);
    EXPECT_THAT(said["error"]["message"].get<std::string>(), HasSubstr(nobody.address()));
    EXPECT_TRUE(said["error"]["code"].is_string());
  }
}

TEST(Unreachable, TheAddressComesFromTheEnvironmentWhenNoFlagSaysIt) {
  const ClosedPort nobody, other;
  const std::map<std::string, std::string> environment{{"AVOCET_ADDR", nobody.address()}};
  const auto run = [&](const Arguments& arguments) {
    return RunToEnd({.command = With({AVOCET_BINARY}, arguments), .stderr_file = {}, .environment = environment},
                    kPatience);
  };
  EXPECT_THAT(run({"version"}).err, HasSubstr(nobody.address()));
  EXPECT_THAT(run({"version", "--addr", other.address()}).err, HasSubstr(other.address()));
}

/// What is wrong with an application's file, and what the answer has to contain: where, which, what.
struct BrokenFile {
  std::string text;
  std::vector<std::string> answer;
};

TEST(BrokenFile, IsRefusedWithPlaceFieldAndRemedy) {
  const std::string good = "name = \"a\"\nmodel = \"m\"\nrate_rps = 1.0\n"
                           "objective = { statistic = \"p95\", latency_ms = 5.0 }\n";
  const std::vector<BrokenFile> cases{
      {good + "prioritty = 3\n", {"app.toml:5", "'prioritty'", "did you mean 'priority'"}},
      {good + "[placement]\ndevice_kind = [\"gpu\"]\n", {"app.toml:6", "'placement.device_kind'", "'device_kinds'"}},
      {"name = \"a\"\nmodel = \"m\"\n", {"app.toml:1", "'rate_rps'", "missing"}},
      {good + "priority = \"high\"\n", {"app.toml:5", "'priority'", "expected"}},
      {good + "priority = 101\n", {"app.toml:5", "'priority'", "101"}},
      {good + "arrival = \"poison\"\n", {"app.toml:5", "'arrival'", "did you mean 'poisson'"}},
      {good + "name = \"b\"\n", {"app.toml:5"}},
      {good + "[[[\n", {"app.toml:5"}},
  };
  for (const auto& broken : cases) {
    const WrittenFile file("app.toml", broken.text);
    for (const std::string verb : {"plan", "apply"}) {
      const auto result = RunAvocet({"app", verb, file.path()});
      EXPECT_EQ(result.exit_code, 1) << broken.text;
      for (const auto& part : broken.answer)
        EXPECT_THAT(result.err, HasSubstr(part)) << broken.text;
    }
  }
}

TEST(BrokenFile, ThatDoesNotExistIsNamed) {
  const auto result = RunAvocet({"app", "plan", "/no/such/app.toml"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/no/such/app.toml"));
}

TEST(BrokenFile, OfDevIsRefusedBeforeAnythingStarts) {
  const WrittenFile file("dev.toml", "name = \"x\"\n[[device]]\nname = \"d\"\nkind = \"gpu\"\nengin = \"emulated\"\n");
  const TempDir data;
  const auto result = RunAvocet({"dev", "--config", file.path(), "--data-dir", (data.path() / "d").string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("dev.toml:5"), HasSubstr("'device[0].engin'"), HasSubstr("'engine'")));
  EXPECT_FALSE(std::filesystem::exists(data.path() / "d"));
}

} // namespace
} // namespace avocet

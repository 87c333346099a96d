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
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
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
      {{}, "no command was given; `avocet help` lists them"},
      {{"frobnicate"}, "unknown command 'frobnicate'"},
      {{"node", "lsit"}, "unknown command 'lsit'; did you mean 'list'?"},
      {{"app"}, "`avocet app` needs a command: plan, apply, list"},
      {{"app", "plan"}, "file"},
      {{"app", "status"}, "name"},
      {{"version", "--nope"}, "unknown flag '--nope'"},
      {{"version", "--adr", "x"}, "unknown flag '--adr'; did you mean '--addr'?"},
      {{"version", "x"}, "unexpected argument 'x'"},
      {{"version", "--addr"}, "--addr needs a value"},
      {{"version", "-o", "xml"}, "xml"},
      {{"version", "-o", "jsn"}, "did you mean 'json'?"},
      {{"version", "--timeout", "0"}, "--timeout: 0 is not allowed; it must be 0.1 to 86400"},
      {{"version", "--timeout", "soon"}, "--timeout: 'soon' is not a number"},
      {{"version", "--tls-ca", "x"}, "--tls-cert (or AVOCET_TLS_CERT) is missing"},
      {{"app", "plan", "x", "--policy", "best"}, "'best' is none of fragmentation, headroom, first_fit"},
      {{"app", "plan", "x", "--policy", "firstfit"}, "did you mean 'first_fit'?"},
      {{"predict"}, "a file of devices, or --cases FILE, is missing"},
      {{"events", "--after", "x"}, "--after: 'x' is not a number"},
      {{"\x1b[31mred"}, "\\x1b[31mred"},
      {{"load"}, "targets (or --trace)"},
      {{"load", "a", "--duration", "-1"}, "--duration: -1 is not allowed; it must be > 0"},
      {{"load", "a", "--protocol", "carrier-pigeon"}, "carrier-pigeon"},
  };
  for (const auto& [arguments, named] : cases) {
    const auto result = RunAvocet(arguments);
    EXPECT_EQ(result.exit_code, kUsage) << testing::PrintToString(arguments);
    EXPECT_THAT(result.err, HasSubstr(named)) << testing::PrintToString(arguments);
    EXPECT_THAT(result.err, StartsWith("error: ")) << testing::PrintToString(arguments);
    EXPECT_EQ(result.out, "") << testing::PrintToString(arguments);
    EXPECT_LT(result.err.size(), 300U) << "a line that people read: " << result.err;
  }
}

TEST(Usage, IsSaidInJsonWhereJsonIsAskedFor) {
  const auto result = RunAvocet({"version", "--nope", "-o", "json"});
  EXPECT_EQ(result.exit_code, kUsage);
  EXPECT_EQ(json::parse(result.out)["error"]["code"], "invalid_argument");
  EXPECT_EQ(result.err, "");
}

TEST(Usage, FilesThatAreNotThereExit1WhicheverFlagNamesThem) {
  const TempDir folder;
  const std::vector<Arguments> commands{{"load", "a", "--endpoint", "127.0.0.1:1", "--trace"},
                                        {"dev", "--config"},
                                        {"controller", "--config"},
                                        {"agent", "--config"},
                                        {"predict"},
                                        {"simulate"},
                                        {"capacity"},
                                        {"replay"},
                                        {"app", "apply"}};
  for (const std::string& file : {std::string("/no/such/file"), folder.path().string()}) {
    for (const auto& command : commands) {
      const auto result = RunAvocet(With(command, {file}));
      EXPECT_EQ(result.exit_code, 1) << testing::PrintToString(command);
      EXPECT_THAT(result.err, AllOf(StartsWith("error: cannot "), HasSubstr(file))) << testing::PrintToString(command);
    }
  }
}

TEST(Usage, AResultThatCannotBeWrittenExits1) {
  const std::string command = std::string(AVOCET_BINARY) + " version --client > /dev/full";
  const auto full = RunToEnd({.command = {"/bin/sh", "-c", command}, .stderr_file = {}, .environment = {}}, kPatience);
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("cannot write to the standard output"));
}

TEST(Help, IsACommandToo) {
  EXPECT_EQ(RunAvocet({"help"}).out, RunAvocet({"--help"}).out);
  EXPECT_EQ(RunAvocet({"help", "app", "plan"}).out, RunAvocet({"app", "plan", "--help"}).out);
  EXPECT_EQ(RunAvocet({"help"}).exit_code, 0);
}

TEST(Version, IsAFlagToo) {
  for (const std::string flag : {"--version", "-v"}) {
    const auto said = RunAvocet({flag});
    EXPECT_EQ(said.exit_code, 0) << flag;
    EXPECT_EQ(said.out, "avocet " AVOCET_VERSION "\n") << flag;
  }
}

TEST(Version, OfTheProgramNeedsNoController) {
  const auto table = RunAvocet({"version", "--client"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_EQ(table.out, "avocet " AVOCET_VERSION "\n");
  const json said = json::parse(RunAvocet({"version", "--client", "-o", "json"}).out);
  EXPECT_EQ(said["v"], 1);
  EXPECT_EQ(said["version"], AVOCET_VERSION);
  EXPECT_EQ(said["role"], "client");
  EXPECT_FALSE(said.contains("uptime_s")) << "that is a controller's";
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
    EXPECT_THAT(table.err, AllOf(HasSubstr("nothing listens"), Not(HasSubstr("ipv4:")))) << "gRPC's own words";
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

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/config/config_files.h"

namespace avocet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kMinimal = R"(name = "edge"
[[device]]
name = "cpu0"
kind = "cpu"
engine = "tflite"
memory_mb = 512
cores = [1, 2]
)";

constexpr auto kSecond = R"([[device]]
name = "gpu0"
kind = "gpu"
discipline = "time_shared"
engine = "emulated"
memory_mb = 3964
)";

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  const auto config = ParseAgentConfig(text, "agent.toml");
  if (config.ok()) return "no error";
  EXPECT_EQ(config.status().code(), StatusCode::kInvalidArgument);
  return config.status().message();
}

TEST(AgentConfig, FillsInTheDefaultsOfTheStruct) {
  const auto config = ParseAgentConfig(kMinimal, "agent.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  const AgentConfig defaults;
  EXPECT_EQ(config->name, "edge");
  EXPECT_EQ(config->data_dir, defaults.data_dir);
  EXPECT_EQ(config->controller, defaults.controller);
  EXPECT_EQ(config->advertise_address, "");
  EXPECT_EQ(config->core_speed, 1);
  EXPECT_EQ(config->inference.grpc, defaults.inference.grpc);
  EXPECT_EQ(config->inference.rest, std::nullopt);
  EXPECT_EQ(config->inference.metrics, std::nullopt);
  EXPECT_EQ(config->inference.tls, std::nullopt);
  EXPECT_FALSE(config->inference.plaintext);
  ASSERT_EQ(config->devices.size(), 1U);
  EXPECT_EQ(config->devices[0].discipline, Discipline::kFifo);
}

TEST(AgentConfig, DefaultsAreThePublishedOnes) {
  const AgentConfig defaults;
  EXPECT_EQ(defaults.data_dir, "/var/lib/avocet/agent");
  EXPECT_EQ(defaults.controller, "127.0.0.1:7400");
  EXPECT_EQ(defaults.inference.grpc, "127.0.0.1:8001");
}

TEST(AgentConfig, ReadsEveryKey) {
  const auto config = ParseAgentConfig(std::string(R"(name = "edge"
data_dir = "/tmp/d"
controller = "ctl.local:7400"
advertise_address = "edge.local:8001"
core_speed = 0.6
[inference]
grpc = "0.0.0.0:0"
rest = "[::1]:8000"
metrics = ""
plaintext = true
tls = { certificate = "/c.pem", key = "/k.pem" }
[tls]
ca = "ca.pem"
certificate = "cert.pem"
key = "key.pem"
)") + kSecond,
                                       "agent.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->data_dir, "/tmp/d");
  EXPECT_EQ(config->controller, "ctl.local:7400");
  EXPECT_EQ(config->advertise_address, "edge.local:8001");
  EXPECT_EQ(config->core_speed, 0.6);
  EXPECT_EQ(config->inference.grpc, "0.0.0.0:0");
  EXPECT_EQ(config->inference.rest, "[::1]:8000");
  EXPECT_EQ(config->inference.metrics, "");
  ASSERT_TRUE(config->inference.tls.has_value());
  EXPECT_EQ(config->inference.tls->certificate, "/c.pem");
  EXPECT_EQ(config->inference.tls->key, "/k.pem");
  EXPECT_TRUE(config->inference.plaintext);
  EXPECT_EQ(config->tls, (TlsOptions{"ca.pem", "cert.pem", "key.pem"}));
}

TEST(AgentConfig, MakesTheNodesDevices) {
  const auto config = ParseAgentConfig(std::string(kMinimal) + kSecond, "agent.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  const auto specs = DeviceSpecs(*config);
  ASSERT_EQ(specs.size(), 2U);
  EXPECT_EQ(specs[0].id(), DeviceId("edge/cpu0"));
  EXPECT_EQ(specs[0].kind, DeviceKind::kCpu);
  EXPECT_EQ(specs[0].engine, EngineKind::kTflite);
  EXPECT_EQ(specs[0].type, "") << "comes from probing";
  EXPECT_EQ(specs[0].memory_bytes, 512 * kMiB);
  EXPECT_THAT(specs[0].cores, ElementsAre(1, 2));
  EXPECT_EQ(specs[1].type, "gpu/emulated");
  EXPECT_EQ(specs[1].discipline, Discipline::kTimeShared);
  EXPECT_TRUE(specs[1].emulated());
  EXPECT_TRUE(Validate(specs[1]).ok());
}

TEST(AgentConfig, ItsNameIsNotTakenForThatOfADevice) {
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "\"edge\"", "\"no name\"")), StartsWith("agent.toml:1:8: field 'name': is "));
}

TEST(AgentConfig, NeedsADevice) {
  EXPECT_EQ(ErrorOf("name = \"edge\"\n"), "agent.toml:1:1: field 'device': is absent; it must be at least one "
                                          "[[device]] table; `avocet node doctor` prints one for this "
                                          "machine");
}

TEST(AgentConfig, DeviceMustBeAnArrayOfTables) {
  EXPECT_EQ(ErrorOf("name = \"edge\"\n[device]\nname = \"cpu0\"\n"),
            "agent.toml:2:1: field 'device': expected tables, found a table; begin each with [[device]]");
}

TEST(AgentConfig, EachDeviceNeedsItsKeys) {
  EXPECT_EQ(ErrorOf("name = \"edge\"\n[[device]]\n"),
            "agent.toml:2:1: field 'device[0].name': missing; add name = \"...\"\n"
            "agent.toml:2:1: field 'device[0].kind': missing; add kind = \"cpu\" (one of: cpu, gpu, edgetpu)\n"
            "agent.toml:2:1: field 'device[0].engine': missing; add engine = \"tflite\" (one of: tflite, onnx, "
            "emulated)\n"
            "agent.toml:2:1: field 'device[0].memory_mb': missing; add memory_mb = 1");
}

TEST(AgentConfig, UnknownKeyInADeviceNamesTheNearest) {
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "core = [1]\n"),
            "agent.toml:8:1: field 'device[0].core': unknown key 'core'; did you mean 'cores'?");
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + kSecond + "memory = 1\n"),
              StartsWith("agent.toml:14:1: field 'device[1].memory': unknown key 'memory'"));
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + "controller = \"a:1\"\n"),
            "agent.toml:8:1: field 'device[0].controller': unknown key 'controller' here; it belongs to the top "
            "level, above the first [table]");
}

TEST(AgentConfig, ChoicesListTheValidOnes) {
  EXPECT_EQ(ErrorOf(Replace(kMinimal, "\"cpu\"", "\"cpuu\"")),
            "agent.toml:4:8: field 'device[0].kind': 'cpuu' is not valid; use one of: cpu, gpu, edgetpu; did you mean "
            "'cpu'?");
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "\"tflite\"", "\"tensorrt\"")),
              StartsWith("agent.toml:5:10: field 'device[0].engine': 'tensorrt' is not valid; use one of: tflite, "
                         "onnx, emulated"));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "discipline = \"multi_server\"\n"),
              StartsWith("agent.toml:8:14: field 'device[0].discipline': 'multi_server' is not valid; use one of: "
                         "fifo, time_shared"));
}

TEST(AgentConfig, EngineMustFitTheKindOfDevice) {
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + Replace(kSecond, "\"emulated\"", "\"tflite\"")),
            "agent.toml:12:10: field 'device[1].engine': is 'tflite'; it must be an engine for gpu devices, e.g. "
            "\"emulated\"");
  EXPECT_THAT(ErrorOf(Replace(Replace(kSecond, "\"gpu\"", "\"edgetpu\""), "\"emulated\"", "\"onnx\"")),
              HasSubstr("missing")); // no name: form comes before meaning
}

TEST(AgentConfig, EnginesServeTheKindsThatTheyCan) {
  const auto with = [](const std::string& kind, const std::string& engine) {
    const auto discipline = Replace(kSecond, "discipline = \"time_shared\"\n", "");
    return kMinimal + Replace(Replace(discipline, "\"gpu\"", '"' + kind + '"'), "emulated", engine);
  };
  for (const auto& [kind, engine] : {std::pair{"gpu", "onnx"}, {"edgetpu", "tflite"}, {"edgetpu", "emulated"}})
    EXPECT_EQ(ErrorOf(with(kind, engine)), "no error") << kind << " " << engine;
  EXPECT_THAT(ErrorOf(with("edgetpu", "onnx")), HasSubstr("an engine for edgetpu devices"));
  EXPECT_EQ(ErrorOf(Replace(kMinimal, "tflite", "onnx")), "no error");
}

TEST(AgentConfig, AnAcceleratorIsServedByOneDevice) {
  const std::string gpu = Replace(kSecond, "emulated", "onnx"), other = Replace(gpu, "gpu0", "gpu1");
  EXPECT_EQ(ErrorOf(kMinimal + gpu + other),
            "agent.toml:16:8: field 'device[2].kind': is 'gpu'; it must be the only one of its kind that is not "
            "emulated: an agent serves the first");
  EXPECT_EQ(ErrorOf(kMinimal + gpu + Replace(other, "onnx", "emulated")), "no error");
}

TEST(AgentConfig, MemoryHasARange) {
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "512", "0")), StartsWith("agent.toml:6:13: field 'device[0].memory_mb': is 0"));
  EXPECT_EQ(ErrorOf(Replace(kMinimal, "512", std::to_string(kMaxDeviceMemoryMb))), "no error");
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "512", std::to_string(kMaxDeviceMemoryMb + 1))),
              StartsWith("agent.toml:6:13: field 'device[0].memory_mb': is 1048577; it must be from 1 to 1048576 MiB"));
}

TEST(AgentConfig, TheBoundsOfRequestsHaveRanges) {
  const auto config = ParseAgentConfig(Replace(kMinimal, "cores = [1, 2]\n", "cores = [1, 2]\nqueue = 1000\n") +
                                           "[inference]\nmemory_mb = 64\nmax_answer_mb = 8\n",
                                       "agent.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->devices[0].queue, 1000);
  EXPECT_EQ(config->inference.memory_mb, 64);
  EXPECT_EQ(config->inference.max_answer_mb, 8);

  const auto inference = [](const std::string& line) { return std::string(kMinimal) + "[inference]\n" + line; };
  EXPECT_THAT(ErrorOf(inference("memory_mb = 7\n")), HasSubstr("'inference.memory_mb': is 7; it must be from 8 to"));
  EXPECT_THAT(ErrorOf(inference("max_answer_mb = 0\n")),
              HasSubstr("'inference.max_answer_mb': is 0; it must be from 1"));
  EXPECT_THAT(ErrorOf(inference("max_answer_mb = 2048\n")), HasSubstr("from 1 to 2047 MiB"));
  for (const char* queue : {"queue = 0\n", "queue = 65537\n"})
    EXPECT_THAT(ErrorOf(std::string(kMinimal) + queue), HasSubstr("'device[0].queue'"));
}

TEST(AgentConfig, CpuDevicesAreThePinnedOnes) {
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "[1, 2]", "[]")),
              StartsWith("agent.toml:7:9: field 'device[0].cores': is empty; it must be a list of at least one"));
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "cores = [1, 2]\n", "")),
              StartsWith("agent.toml:2:1: field 'device[0].cores': is empty"));
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "[1, 2]", "[1, 1]")), StartsWith("agent.toml:7:9: field 'device[0].cores'"));
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "[1, 2]", "[-1]")), StartsWith("agent.toml:7:9: field 'device[0].cores'"));
  EXPECT_THAT(ErrorOf(Replace(kMinimal, "[1, 2]", "[1, \"2\"]")),
              StartsWith("agent.toml:7:13: field 'device[0].cores[1]': expected a small integer, found a string"));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + kSecond + "cores = [3]\n"),
              StartsWith("agent.toml:14:9: field 'device[1].cores': is a list of cores; it must be absent"));
}

TEST(AgentConfig, DevicesMustNotShareANameOrACore) {
  EXPECT_EQ(ErrorOf(std::string(kMinimal) + Replace(kSecond, "gpu0", "cpu0")),
            "agent.toml:9:8: field 'device[1].name': is 'cpu0'; it must be a name that no other device has");
  std::string second = kMinimal;
  second = Replace(Replace(second.substr(second.find("[[")), "cpu0", "cpu1"), "[1, 2]", "[2]");
  EXPECT_EQ(ErrorOf(kMinimal + second),
            "agent.toml:13:9: field 'device[1].cores': is 2; it must be a core that no other device is pinned to");
  EXPECT_EQ(ErrorOf(kMinimal + Replace(second, "tflite", "emulated")), "no error") << "emulated ones burn no core";
}

TEST(AgentConfig, AddressesAreChecked) {
  const auto with = [](const std::string& line) { return line + "\n" + kMinimal; };
  EXPECT_THAT(ErrorOf(with("controller = \"localhost\"")), StartsWith("agent.toml:1:14: field 'controller': is "));
  EXPECT_THAT(ErrorOf(with("controller = \"localhost:0\"")), StartsWith("agent.toml:1:14: field 'controller': is "));
  EXPECT_THAT(ErrorOf(with("advertise_address = \"a:65536\"")),
              StartsWith("agent.toml:1:21: field 'advertise_address'"));
  EXPECT_THAT(ErrorOf(std::string(kMinimal) + "[inference]\ngrpc = \"8001\"\n"),
              StartsWith("agent.toml:9:8: field 'inference.grpc': is '8001'; it must be host:port"));
}

TEST(AgentConfig, TheCoresHaveASpeed) {
  const auto with = [](const std::string& speed) { return "core_speed = " + speed + "\n" + kMinimal; };
  EXPECT_EQ(ErrorOf(with("1.5")), "no error");
  EXPECT_EQ(ErrorOf(with("0")), "agent.toml:1:14: field 'core_speed': is 0; it must be 0.001 to 1000");
  EXPECT_EQ(ErrorOf(with("1001")), "agent.toml:1:14: field 'core_speed': is 1001; it must be 0.001 to 1000");
}

TEST(AgentConfig, PlaintextBeyondLoopbackMustBeAskedFor) {
  const std::string lan = std::string(kMinimal) + "[inference]\ngrpc = \"0.0.0.0:8001\"\n";
  EXPECT_THAT(ErrorOf(lan), AllOf(StartsWith("agent.toml:9:8: field 'inference.grpc': is '0.0.0.0:8001'"),
                                  HasSubstr("set plaintext = true in [inference]")));
  EXPECT_EQ(ErrorOf(lan + "plaintext = true\n"), "no error");
}

TEST(DevConfig, NeedsNothing) {
  const auto config = ParseDevConfig("", "dev.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->agent.name, "local");
  EXPECT_EQ(config->agent.data_dir, "");
  EXPECT_TRUE(config->agent.devices.empty());
  EXPECT_EQ(config->listen, "127.0.0.1:7400");
}

TEST(DevConfig, TakesAgentKeysAndPolicy) {
  const auto config = ParseDevConfig(std::string(kMinimal) + "[policy]\nmax_utilization = 0.5\n", "dev.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->agent.name, "edge");
  EXPECT_EQ(config->agent.devices.size(), 1U);
  EXPECT_EQ(config->policy.max_utilization, 0.5);
}

TEST(DevConfig, ChecksDevicesLikeAnAgent) {
  const auto config =
      ParseDevConfig("[[device]]\nname = \"g\"\nkind = \"gpu\"\nengine = \"tflite\"\nmemory_mb = 1\n", "dev.toml");
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(config.status().message(), StartsWith("dev.toml:4:10: field 'device[0].engine'"));
}

} // namespace
} // namespace avocet

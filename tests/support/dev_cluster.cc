#include "tests/support/dev_cluster.h"

#include <stdexcept>

namespace avocet {
namespace {

using nlohmann::json;

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

} // namespace

DevCluster::DevCluster() {
  Write("dev.toml", Config());
}

DevCluster::~DevCluster() {
  process_.reset();
  PrintLogsOfFailure({"dev.log"});
}

std::vector<std::string> DevCluster::DevCommand() const {
  return {AVOCET_BINARY, "dev",         "--config", (folder() / "dev.toml").string(),
          "--data-dir",  data_dir(),    "--listen", "127.0.0.1:0",
          "--inference", "127.0.0.1:0", "-o",       "json"};
}

void DevCluster::Launch() {
  process_.reset();
  process_ = StartProgram(DevCommand(), "dev.log");
}

void DevCluster::Start() {
  Launch();
  const auto line = process_->ReadLine(kPatience);
  const json said = json::parse(line.value_or(""), nullptr, false);
  if (!said.is_object() || !said.contains("control") || !said.contains("inference"))
    throw std::runtime_error("avocet dev did not start; it said: " + line.value_or("nothing") + "\n" +
                             EndOf("dev.log"));
  set_control(said["control"]);
  inference_ = said["inference"];
  rest_ = said.value("rest", "");
  metrics_ = said.value("metrics", "");
}

} // namespace avocet

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>

#include "tests/support/fake_engine.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

// A program that the system gives too little ends with a sentence, not with an abort.
namespace avocet {
namespace {

using testing::HasSubstr;

CommandResult RunLimited(const std::string& limit, const std::string& command, const std::string& config = {}) {
  const TempDir folder;
  const auto file = folder.path() / "config.toml";
  std::ofstream(file) << config;
  std::string line = limit + "; exec " + std::string(AVOCET_BINARY) + " " + command;
  line += " --data-dir " + (folder.path() / "data").string() + (config.empty() ? "" : " --config " + file.string());
  return RunToEnd({.command = {"/bin/sh", "-c", line}, .stderr_file = {}, .environment = {}}, 2 * kPatience);
}

constexpr auto kAgent = R"(name = "edge"
[[device]]
name = "gpu0"
kind = "gpu"
engine = "emulated"
memory_mb = 512
)";

TEST(Scarcity, OfDescriptorsIsSaidBeforeAnythingIsServed) {
  for (const auto& [command, config] :
       {std::pair{"controller --listen 127.0.0.1:0", ""}, {"agent --inference 127.0.0.1:0", kAgent}}) {
    const CommandResult said = RunLimited("ulimit -n 40", command, config);
    EXPECT_EQ(said.exit_code, 1) << command;
    EXPECT_THAT(said.err, HasSubstr("this process may have 40 open descriptors")) << command;
    EXPECT_THAT(said.err, HasSubstr("LimitNOFILE")) << command;
  }
}

TEST(Scarcity, OfThreadsOrMemoryIsOneLine) {
  const CommandResult said = RunLimited("ulimit -v 160000", "controller --listen 127.0.0.1:0");
  EXPECT_EQ(said.exit_code, 1) << said.err;
  EXPECT_THAT(said.err, HasSubstr("error: out of ")) << said.err;
}

} // namespace
} // namespace avocet

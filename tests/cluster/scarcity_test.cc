#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_engine.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

// A program that the system gives too little ends with a sentence, not with an abort.
namespace avocet {
namespace {

using testing::HasSubstr;

CommandResult RunLimited(const std::string& limit, const std::string& command) {
  const TempDir folder;
  const std::string line = limit + "; exec " + std::string(AVOCET_BINARY) + " " + command + " --data-dir " +
                           (folder.path() / "data").string();
  return RunToEnd({.command = {"/bin/sh", "-c", line}, .stderr_file = {}, .environment = {}}, 2 * kPatience);
}

TEST(Scarcity, OfDescriptorsIsSaidBeforeAnythingIsServed) {
  for (const std::string command : {"controller --listen 127.0.0.1:0", "agent --name edge --inference 127.0.0.1:0"}) {
    const CommandResult said = RunLimited("ulimit -n 40", command);
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

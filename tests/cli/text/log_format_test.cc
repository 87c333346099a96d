#include "cli/text/log_format.h"

#include <sstream>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace avocet {
namespace {

TEST(LogFormat, APeersTextBeginsNoLine) {
  std::ostringstream out;
  spdlog::logger logger("test", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
  logger.set_formatter(MakeLogFormatter());
  logger.warn("event detail=\"{}\"", "broken\n2026-01-01T00:00:00.000 info all is well\x1b[2J");
  const std::string text = out.str();
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
  EXPECT_NE(text.find(" warning event detail=\"broken\\n2026-01-01T00:00:00.000 info all is well\\x1b[2J\""),
            std::string::npos)
      << text;
}

} // namespace
} // namespace avocet

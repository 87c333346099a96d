#include "cli/render/load_display.h"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

LoadProgress Progress(size_t apps) {
  LoadProgress progress{seconds(5), seconds(10), {}};
  for (size_t i = 0; i < apps; ++i) {
    AppLoadProgress app;
    app.app = AppId("cam" + std::to_string(i));
    app.sent = 50;
    app.ok = 40;
    app.failed = 3;
    app.dropped = 2;
    app.ok_rps = 8;
    app.p50 = milliseconds(12);
    progress.apps.push_back(app);
  }
  return progress;
}

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(LoadDisplay, DrawsTheTableOverItself) {
  std::ostringstream out;
  LoadDisplay display(out, {.terminal = true, .width = 100, .height = 24});
  display.Update(Progress(2));
  const std::string first = out.str();
  EXPECT_EQ(Lines(first), 4U) << "time, header, two applications";
  EXPECT_THAT(first, HasSubstr("5 s of 10 s"));
  EXPECT_THAT(first, HasSubstr("cam1"));
  EXPECT_THAT(first, HasSubstr("RPS NOW"));
  display.Update(Progress(2));
  EXPECT_EQ(out.str(), first + "\x1b[4A" + first);
}

TEST(LoadDisplay, CountsWhatDoesNotFit) {
  std::ostringstream out;
  LoadDisplay display(out, {.terminal = true, .width = 100, .height = 8});
  display.Update(Progress(9));
  EXPECT_THAT(out.str(), HasSubstr("and 5 more"));
  EXPECT_LT(Lines(out.str()), 8U);
}

TEST(LoadDisplay, CutsLinesToTheTerminal) {
  std::ostringstream out;
  LoadDisplay display(out, {.terminal = true, .width = 20, .height = 24});
  display.Update(Progress(1));
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(line.size(), 19 + std::string("\x1b[K").size());
}

TEST(LoadDisplay, PrintsPlainLinesElsewhere) {
  std::ostringstream out;
  LoadDisplay display(out, {});
  display.Update(Progress(2));
  display.Update(Progress(2));
  display.Finish();
  EXPECT_EQ(out.str(), "load: 50 %  80 ok, 10 failed\nload: 100 %  done\n");
}

} // namespace
} // namespace avocet

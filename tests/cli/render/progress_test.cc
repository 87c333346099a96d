#include "cli/render/progress.h"

#include <sstream>

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(ProgressBar, RedrawsOneLineOnATerminal) {
  std::ostringstream out;
  {
    ProgressBar bar(out, "load", {true, 80});
    bar.Update(0.5, "30 sent");
    bar.Finish("60 sent");
    bar.Finish("again");
  }
  EXPECT_EQ(out.str(), "\rload [###############...............]  50 %  30 sent\x1b[K"
                       "\rload [##############################] 100 %  60 sent\x1b[K\n");
}

TEST(ProgressBar, IsCutToTheTerminal) {
  std::ostringstream out;
  {
    ProgressBar bar(out, "load", {true, 10});
    bar.Update(0, "x");
  }
  EXPECT_EQ(out.str(), "\rload [...\x1b[K\n");
}

TEST(ProgressBar, PrintsALinePerTenthElsewhere) {
  std::ostringstream out;
  ProgressBar bar(out, "load", {});
  for (int i = 0; i <= 40; ++i)
    bar.Update(i / 40.0, std::to_string(i));
  bar.Finish("end");
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_EQ(line.rfind("load: ", 0), 0U) << line;
  EXPECT_EQ(count, 11);
}

TEST(ProgressBar, NeverGoesBackNorBeyondTheEnd) {
  std::ostringstream out;
  {
    ProgressBar bar(out, "x", {true, 200});
    bar.Update(0.5, "a");
    bar.Update(0.25, "b");
    bar.Update(7, "c");
  }
  EXPECT_NE(out.str().find(" 50 %  b"), std::string::npos);
  EXPECT_NE(out.str().find("100 %  c"), std::string::npos);
}

} // namespace
} // namespace avocet

#include "actors/protocol/backoff.h"

#include <gtest/gtest.h>

namespace avocet {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, GrowsToItsBoundAndStaysThere) {
  Backoff backoff({.first = milliseconds(100), .longest = milliseconds(500), .factor = 2, .jitter = 0}, 1);
  for (const int ms : {100, 200, 400, 500, 500})
    EXPECT_EQ(backoff.Next(), milliseconds(ms));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), milliseconds(100));
}

TEST(Backoff, DrawsEachPauseFromItsRange) {
  constexpr int kDraws = 1000;
  Backoff backoff({.first = milliseconds(100), .longest = milliseconds(100), .jitter = 0.5}, 7);
  Duration least = std::chrono::hours(1), most{};
  for (int i = 0; i < kDraws; ++i) {
    const Duration pause = backoff.Next();
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_GE(least, milliseconds(50));
  EXPECT_LT(least, milliseconds(55));
  EXPECT_LE(most, milliseconds(100));
  EXPECT_GT(most, milliseconds(95));
}

TEST(Backoff, IsRepeatableAndDiffersBetweenSeeds) {
  Backoff a({}, 1), same({}, 1), other({}, 2);
  const Duration pause = a.Next();
  EXPECT_EQ(pause, same.Next());
  EXPECT_NE(pause, other.Next());
}

TEST(Backoff, NamesTheOptionThatIsWrong) {
  EXPECT_TRUE(Validate(BackoffOptions{}).ok());
  for (const auto& [options, field] : std::vector<std::pair<BackoffOptions, std::string>>{
           {{.first = Duration{}}, "first"},
           {{.first = milliseconds(2), .longest = milliseconds(1)}, "longest"},
           {{.factor = 0.5}, "factor"},
           {{.jitter = 1.5}, "jitter"}}) {
    EXPECT_NE(Validate(options).message().find(field), std::string::npos) << field;
  }
}

TEST(BackoffDeathTest, RefusesOptionsThatWouldNeverPause) {
  EXPECT_DEATH(Backoff({.first = Duration{}}, 1), "Validate");
}

} // namespace
} // namespace avocet

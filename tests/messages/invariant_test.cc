#include "messages/invariant.h"

#include <gtest/gtest.h>

#include "messages/status.h"

namespace avocet {
namespace {

TEST(InvariantDeathTest, NamesTheConditionAndWhereItStands) {
  const int cores = 0;
  EXPECT_DEATH(AVOCET_CHECK(cores >= 1), "invariant_test.cc:[0-9]+: AVOCET_CHECK\\(cores >= 1\\) failed");
}

TEST(Invariant, EvaluatesItsConditionOnce) {
  int calls = 0;
  AVOCET_CHECK(++calls == 1);
  EXPECT_EQ(calls, 1);
}

TEST(InvariantDeathTest, NoValueIsTakenOutOfAnError) {
  const Result<int> missing = NotFound("model 'x'");
  EXPECT_DEATH((void)*missing, "AVOCET_CHECK");
}

TEST(InvariantDeathTest, AnErrorHasACode) {
  EXPECT_DEATH(Status(StatusCode::kOk, "fine"), "AVOCET_CHECK");
}

} // namespace
} // namespace avocet

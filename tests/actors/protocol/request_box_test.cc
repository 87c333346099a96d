// Both halves of the requests between controller and agent: RequestOutbox and RequestInbox.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/protocol/request_inbox.h"
#include "actors/protocol/request_outbox.h"

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MonotonicTime At(int seconds) {
  return MonotonicTime(std::chrono::seconds(seconds));
}

using Outbox = RequestOutbox<std::string>;
using Inbox = RequestInbox<std::string>;
using Next = Inbox::Next;

std::vector<uint64_t> Due(Outbox& outbox, MonotonicTime now) {
  std::vector<uint64_t> ids;
  for (const auto& sending : outbox.TakeToSend(now))
    ids.push_back(sending.id);
  return ids;
}

TEST(RequestOutbox, SendsUntilAnswered) {
  Outbox outbox({.resend_after = std::chrono::seconds(2)});
  ASSERT_EQ(*outbox.Add("a", At(100)), 1U);
  ASSERT_EQ(*outbox.Add("b", At(100)), 2U);
  EXPECT_THAT(Due(outbox, At(0)), ElementsAre(1, 2));
  EXPECT_THAT(Due(outbox, At(1)), IsEmpty());
  EXPECT_TRUE(outbox.Answered(1));
  EXPECT_FALSE(outbox.Answered(1)) << "a second copy of the answer";
  const auto again = outbox.TakeToSend(At(2));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(*again[0].request, "b");
  EXPECT_EQ(again[0].oldest_id, 2U);
}

TEST(RequestOutbox, GivesUpAtTheDeadline) {
  Outbox outbox;
  ASSERT_TRUE(outbox.Add("a", At(5)).ok());
  ASSERT_TRUE(outbox.Add("b", At(6)).ok());
  EXPECT_THAT(outbox.TakeExpired(At(4)), IsEmpty());
  EXPECT_THAT(outbox.TakeExpired(At(5)), ElementsAre(1));
  EXPECT_FALSE(outbox.Answered(1)) << "too late";
  EXPECT_EQ(outbox.size(), 1U);
}

TEST(RequestOutbox, RefusesOneTooMany) {
  Outbox outbox({.max_pending = 2});
  ASSERT_TRUE(outbox.Add("a", At(5)).ok());
  ASSERT_TRUE(outbox.Add("b", At(5)).ok());
  EXPECT_EQ(outbox.Add("c", At(5)).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(outbox.Answered(2));
  EXPECT_TRUE(outbox.Add("c", At(5)).ok());
}

TEST(RequestOutbox, DoesNotRunFarAheadOfAnOldRequest) {
  Outbox outbox({.max_pending = 2});
  ASSERT_TRUE(outbox.Add("old", At(5)).ok());
  for (uint64_t id = 2; id <= 8; ++id) {
    ASSERT_EQ(*outbox.Add("quick", At(5)), id);
    ASSERT_TRUE(outbox.Answered(id));
  }
  EXPECT_EQ(outbox.Add("quick", At(5)).status().code(), StatusCode::kResourceExhausted)
      << "the peer keeps every answer from the oldest open request on";
}

TEST(RequestInbox, CarriesOutOnceAndAnswersAgain) {
  Inbox inbox;
  EXPECT_EQ(inbox.Arrived(1, 1), Next::kExecute);
  EXPECT_EQ(inbox.Arrived(1, 1), Next::kWait);
  inbox.Done(1, "done");
  EXPECT_EQ(inbox.Arrived(1, 1), Next::kAnswer);
  EXPECT_EQ(inbox.AnswerOf(1), "done");
  EXPECT_EQ(inbox.Arrived(3, 1), Next::kExecute) << "order does not matter";
  EXPECT_EQ(inbox.Arrived(2, 2), Next::kExecute);
}

TEST(RequestInboxDeathTest, HasNoAnswerBeforeTheRequestWasCarriedOut) {
  Inbox inbox;
  inbox.Arrived(1, 1);
  EXPECT_DEATH(inbox.AnswerOf(1), "known");
}

TEST(RequestInbox, ForgetsWhatTheSenderHasTheAnswerOf) {
  Inbox inbox;
  EXPECT_EQ(inbox.Arrived(1, 1), Next::kExecute);
  inbox.Done(1, "done");
  EXPECT_EQ(inbox.Arrived(2, 2), Next::kExecute);
  EXPECT_EQ(inbox.size(), 1U);
  EXPECT_EQ(inbox.Arrived(1, 1), Next::kIgnore) << "a late copy is not carried out again";
  inbox.Done(1, "late");
  EXPECT_EQ(inbox.size(), 1U);
}

TEST(RequestInbox, TakesNoMoreThanItsBound) {
  Inbox inbox(2);
  EXPECT_EQ(inbox.Arrived(1, 1), Next::kExecute);
  EXPECT_EQ(inbox.Arrived(2, 1), Next::kExecute);
  EXPECT_EQ(inbox.Arrived(3, 1), Next::kIgnore);
  EXPECT_EQ(inbox.Arrived(3, 2), Next::kExecute);
}

} // namespace
} // namespace avocet

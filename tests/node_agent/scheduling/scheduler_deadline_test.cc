// Deadlines and cancellation, in the queue and during a run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/node_agent/scheduling/scheduler_fixture.h"

namespace avocet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;

MonotonicTime Now() {
  return MonotonicTime::clock::now();
}

TEST(Scheduler, RefusesAPassedDeadlineAtOnce) {
  FakeDevice device;
  auto request = device.Request(kAppA, "late");
  request.deadline = Now();
  EXPECT_EQ(device.scheduler->Submit(std::move(request)).code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(device.Runs().empty());
  const auto window = device.scheduler->CloseWindow();
  EXPECT_EQ(window.apps.at(0).refusals, 1u);
  EXPECT_EQ(window.apps.at(0).expired, 1u);
}

TEST(Scheduler, ADeadlineThatPassesInTheQueueIsAnsweredWithoutARun) {
  FakeDevice device;
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "running").ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  auto request = device.Request(kAppA, "late");
  const MonotonicTime deadline = Now() + milliseconds(500);
  request.deadline = deadline;
  ASSERT_TRUE(device.scheduler->Submit(std::move(request)).ok());
  while (Now() < deadline)
    std::this_thread::yield(); // the passing of a deadline is what is tested
  device.control->LetAllGo();
  const auto answers = device.answers.Await(2);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].completion.status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(device.Runs().size(), 1u);
  const auto window = device.scheduler->CloseWindow();
  EXPECT_EQ(window.apps.at(0).failures, 1u);
  EXPECT_EQ(window.apps.at(0).expired, 1u);
}

TEST(Scheduler, ARunIsStoppedAtItsDeadlineWhereTheEngineCanCancel) {
  FakeDevice device(Discipline::kFifo, {}, true);
  device.control->Hold();
  auto request = device.Request(kAppA, "stopped");
  request.deadline = Now() + milliseconds(300);
  ASSERT_TRUE(device.scheduler->Submit(std::move(request)).ok());
  const auto answers = device.answers.Await(1); // nobody lets the run go
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].completion.status.code(), StatusCode::kDeadlineExceeded);
}

TEST(Scheduler, ARunThatCannotBeCancelledIsDeliveredLate) {
  FakeDevice device;
  device.control->Hold();
  auto request = device.Request(kAppA, "late");
  const MonotonicTime deadline = Now() + milliseconds(500);
  request.deadline = deadline;
  ASSERT_TRUE(device.scheduler->Submit(std::move(request)).ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  while (Now() < deadline)
    std::this_thread::yield();
  device.control->LetAllGo();
  EXPECT_TRUE(device.answers.Await(1).at(0).completion.status.ok());
}

TEST(Scheduler, ACancelledRunStopsWhereTheEngineCanCancel) {
  for (const bool with_deadline : {false, true}) {
    FakeDevice device(Discipline::kFifo, {}, true);
    device.control->Hold();
    std::stop_source source;
    auto request = device.Request(kAppA, "stopped");
    request.cancel = source.get_token();
    if (with_deadline) request.deadline = Now() + hours(1);
    ASSERT_TRUE(device.scheduler->Submit(std::move(request)).ok());
    ASSERT_TRUE(device.control->AwaitHeld(1));
    source.request_stop();
    EXPECT_EQ(device.answers.Await(1).at(0).completion.status.code(), StatusCode::kCancelled);
  }
}

TEST(Scheduler, ACancelledRequestIsNotRunAtItsTurn) {
  FakeDevice device;
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "running").ok());
  std::stop_source source;
  auto request = device.Request(kAppA, "cancelled");
  request.cancel = source.get_token();
  ASSERT_TRUE(device.scheduler->Submit(std::move(request)).ok());
  source.request_stop();
  device.control->LetAllGo();
  const auto answers = device.answers.Await(2);
  EXPECT_EQ(answers.at(1).completion.status.code(), StatusCode::kCancelled);
  EXPECT_EQ(device.Runs().size(), 1u);
}

TEST(Scheduler, DropCancelledAnswersAtOnceAndFreesItsPlaces) {
  SchedulerOptions options;
  options.max_queued = 2;
  FakeDevice device(Discipline::kFifo, options);
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "running").ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  std::stop_source source;
  auto request = device.Request(kAppA, "cancelled");
  request.cancel = source.get_token();
  ASSERT_TRUE(device.scheduler->Submit(std::move(request)).ok());
  ASSERT_TRUE(device.Submit(kAppB, "kept").ok());
  source.request_stop();
  device.scheduler->DropCancelled();
  EXPECT_THAT(device.answers.AwaitTags(1), ElementsAre("cancelled")); // the first run is still held
  EXPECT_TRUE(device.Submit(kAppB, "new").ok());
  device.control->LetAllGo();
  EXPECT_THAT(device.answers.AwaitTags(4), ElementsAre("cancelled", "running", "kept", "new"));
}

TEST(Scheduler, RefusesARequestThatIsAlreadyCancelled) {
  FakeDevice device;
  std::stop_source source;
  source.request_stop();
  auto request = device.Request(kAppA, "cancelled");
  request.cancel = source.get_token();
  EXPECT_EQ(device.scheduler->Submit(std::move(request)).code(), StatusCode::kCancelled);
}

} // namespace
} // namespace avocet

// The queue: order, switches, bound, drain, destruction.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/scheduling/work.h"
#include "tests/node_agent/scheduling/scheduler_fixture.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

MonotonicTime Now() {
  return MonotonicTime::clock::now();
}

TEST(Scheduler, AnswersWithTheEnginesOutputsAndOrderedStamps) {
  FakeDevice device;
  ASSERT_TRUE(device.Started());
  auto request = device.Request(kAppA, "1");
  request.received = Now() - milliseconds(5);
  const MonotonicTime received = request.received;
  ASSERT_TRUE(device.scheduler->Submit(std::move(request)).ok());
  const auto answers = device.answers.Await(1);
  ASSERT_EQ(answers.size(), 1u);
  const Completion& completion = answers[0].completion;
  ASSERT_TRUE(completion.status.ok()) << completion.status.ToString();
  ASSERT_EQ(completion.outputs.size(), 1u);
  EXPECT_EQ(completion.outputs[0].spec.name, "out");
  EXPECT_EQ(completion.outputs[0].data, device.Runs().at(0).first_input);
  EXPECT_EQ(completion.attained_service, milliseconds(1));
  EXPECT_EQ(completion.stamps.received, received);
  EXPECT_LE(completion.stamps.received, completion.stamps.enqueued);
  EXPECT_LE(completion.stamps.enqueued, completion.stamps.started);
  EXPECT_LE(completion.stamps.started, completion.stamps.finished);
}

TEST(Scheduler, FifoServesAllApplicationsInOrderOfArrival) {
  FakeDevice device;
  device.control->Hold();
  for (const auto& [app, tag] : {std::pair{kAppA, "1"}, {kAppB, "2"}, {kAppA, "3"}, {kAppA, "4"}, {kAppB, "5"}})
    ASSERT_TRUE(device.Submit(app, tag).ok());
  device.control->LetAllGo();
  EXPECT_THAT(device.answers.AwaitTags(5), ElementsAre("1", "2", "3", "4", "5"));
}

TEST(Scheduler, FifoMarksRequestsAfterAnotherModelAsSwitched) {
  FakeDevice device; // the last warm-up was that of model b
  for (const auto& [app, tag] : {std::pair{kAppB, "1"}, {kAppA, "2"}, {kAppA, "3"}, {kAppB, "4"}})
    ASSERT_TRUE(device.Submit(app, tag).ok());
  std::vector<bool> switched;
  for (const Answer& answer : device.answers.Await(4))
    switched.push_back(answer.completion.switched);
  EXPECT_THAT(switched, ElementsAre(false, true, false, true));
  std::vector<bool> told;
  for (const FakeRun& run : device.Runs())
    told.push_back(run.switched);
  EXPECT_EQ(told, switched);
}

TEST(Scheduler, FifoRunsNeverOverlap) {
  FakeDevice device;
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "1").ok());
  ASSERT_TRUE(device.Submit(kAppB, "2").ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  EXPECT_EQ(device.Runs().size(), 1u);
  device.control->LetAllGo();
  EXPECT_EQ(device.answers.Await(2).size(), 2u);
}

TEST(Scheduler, TimeSharedModelsRunIndependently) {
  FakeDevice device(Discipline::kTimeShared);
  ASSERT_TRUE(device.Started());
  device.control->Hold();
  for (const auto& [app, tag] : {std::pair{kAppA, "1"}, {kAppA, "2"}, {kAppB, "3"}})
    ASSERT_TRUE(device.Submit(app, tag).ok());
  ASSERT_TRUE(device.control->AwaitHeld(2)); // "1" and "3" at the same moment, "2" behind "1"
  EXPECT_EQ(device.Runs().size(), 2u);
  EXPECT_NE(device.Runs()[0].model, device.Runs()[1].model);
  device.control->LetAllGo();
  for (const Answer& answer : device.answers.Await(3))
    EXPECT_FALSE(answer.completion.switched);
  EXPECT_EQ(device.answers.count(), 3u);
}

TEST(Scheduler, ReadyIsTheArrival) {
  FakeDevice device;
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "1").ok());
  ASSERT_TRUE(device.Submit(kAppA, "2").ok());
  device.control->LetAllGo();
  const auto answers = device.answers.Await(2);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(device.Runs()[0].ready_at, answers[0].completion.stamps.enqueued);
  EXPECT_EQ(device.Runs()[1].ready_at, answers[1].completion.stamps.enqueued)
      << "an engine that emulates knows itself when the previous run ended, to the nanosecond";
}

TEST(Scheduler, QueueTakesItsBoundAndRefusesOneMore) {
  SchedulerOptions options;
  options.max_queued = 3;
  FakeDevice device(Discipline::kFifo, options);
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "running").ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(device.Submit(i % 2 == 0 ? kAppA : kAppB, "queued").ok());
  const Status refused = device.Submit(kAppB, "refused");
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_THAT(refused.message(), HasSubstr("3 of 3"));
  device.control->LetAllGo();
  EXPECT_EQ(device.answers.Await(4).size(), 4u);
  EXPECT_TRUE(device.Submit(kAppB, "later").ok());
  EXPECT_EQ(device.answers.Await(5).back().tag, "later");
}

TEST(Scheduler, TheBoundIsSharedByTheExecutorsOfADevice) {
  SchedulerOptions options;
  options.max_queued = 2;
  FakeDevice device(Discipline::kTimeShared, options);
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "run").ok());
  ASSERT_TRUE(device.Submit(kAppB, "run").ok());
  ASSERT_TRUE(device.control->AwaitHeld(2));
  EXPECT_TRUE(device.Submit(kAppA, "queued").ok());
  EXPECT_TRUE(device.Submit(kAppB, "queued").ok());
  EXPECT_EQ(device.Submit(kAppA, "refused").code(), StatusCode::kUnavailable);
  device.control->LetAllGo();
  EXPECT_EQ(device.answers.Await(4).size(), 4u);
}

TEST(Scheduler, RefusesUnknownApplicationsAndWrongInputs) {
  FakeDevice device;
  EXPECT_EQ(device.Submit(AppId("nobody"), "1").code(), StatusCode::kNotFound);
  auto request = device.Request(kAppA, "2");
  request.inputs.clear();
  EXPECT_EQ(device.scheduler->Submit(std::move(request)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(device.answers.count(), 0u);
}

TEST(Scheduler, EngineFailuresAreAnsweredAndTheExecutorGoesOn) {
  FakeDevice device;
  FakeBehaviour failing;
  failing.run = Internal("broken");
  device.control->Behave(kModelA, failing);
  FakeBehaviour throwing;
  throwing.throws = true;
  device.control->Behave(kModelB, throwing);
  ASSERT_TRUE(device.Submit(kAppA, "fails").ok());
  ASSERT_TRUE(device.Submit(kAppB, "throws").ok());
  device.answers.Await(2);
  device.control->Behave(kModelA, {});
  ASSERT_TRUE(device.Submit(kAppA, "works").ok());
  const auto answers = device.answers.Await(3);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].completion.status, Internal("model 'a:1': broken"));
  EXPECT_EQ(answers[1].completion.status.code(), StatusCode::kInternal);
  EXPECT_THAT(answers[1].completion.status.message(), HasSubstr("fake failure"));
  EXPECT_TRUE(answers[2].completion.status.ok());
}

TEST(Scheduler, DetachDrainsWhatWasAcceptedAndRefusesTheRest) {
  FakeDevice device;
  device.control->Hold();
  for (const char* tag : {"1", "2"})
    ASSERT_TRUE(device.Submit(kAppA, tag).ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  Status detached = Internal("not yet");
  std::thread detaching([&] { detached = device.scheduler->Detach(kAppA); });
  Status refused;
  const MonotonicTime give_up = Now() + kPatience;
  size_t accepted = 2;
  while ((refused = device.Submit(kAppA, "3")).ok() && Now() < give_up)
    ++accepted; // until draining began
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  device.control->LetAllGo();
  detaching.join();
  EXPECT_TRUE(detached.ok()) << detached.ToString();
  EXPECT_EQ(device.answers.count(), accepted);
  for (const Answer& answer : device.answers.Await(0))
    EXPECT_TRUE(answer.completion.status.ok());
  EXPECT_EQ(device.Submit(kAppA, "4").code(), StatusCode::kNotFound);
  EXPECT_TRUE(device.Submit(kAppB, "5").ok());
  EXPECT_EQ(device.answers.Await(accepted + 1).size(), accepted + 1);
}

TEST(Scheduler, DetachGivesUpAtItsDeadlineAndCanBeRepeated) {
  SchedulerOptions options;
  options.drain_deadline = milliseconds(20);
  FakeDevice device(Discipline::kFifo, options);
  device.control->Hold();
  for (const char* tag : {"running", "queued"})
    ASSERT_TRUE(device.Submit(kAppA, tag).ok());
  ASSERT_TRUE(device.Submit(kAppB, "other").ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  EXPECT_EQ(device.scheduler->Detach(kAppA).code(), StatusCode::kDeadlineExceeded);
  const auto answers = device.answers.Await(1);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].tag, "queued");
  EXPECT_EQ(answers[0].completion.status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(device.scheduler->Attach(kAppA, kModelA).code(), StatusCode::kUnavailable);
  EXPECT_EQ(device.scheduler->Unload(kModelA).code(), StatusCode::kInvalidArgument);
  device.control->LetAllGo();
  EXPECT_EQ(device.answers.Await(3).size(), 3u);
  EXPECT_TRUE(device.scheduler->Detach(kAppA).ok());
  EXPECT_TRUE(device.scheduler->Unload(kModelA).ok());
}

TEST(Scheduler, DestructionAnswersEverythingThatIsQueued) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    FakeDevice device(discipline);
    device.control->Hold();
    ASSERT_TRUE(device.Submit(kAppA, "running").ok());
    ASSERT_TRUE(device.control->AwaitHeld(1));
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(device.Submit(kAppA, "queued").ok());
    std::thread destroying([&] { device.scheduler.reset(); });
    EXPECT_EQ(device.answers.Await(10).size(), 10u); // before the run in hand ends
    for (const Answer& answer : device.answers.Await(10))
      EXPECT_EQ(answer.completion.status.code(), StatusCode::kUnavailable);
    device.control->LetAllGo();
    destroying.join();
    const auto answers = device.answers.Await(11);
    ASSERT_EQ(answers.size(), 11u);
    EXPECT_EQ(answers[10].tag, "running");
    EXPECT_TRUE(answers[10].completion.status.ok());
  }
}

TEST(Scheduler, DoneMaySubmitAgain) {
  FakeDevice device;
  auto request = device.Request(kAppA, "unused");
  request.done = [&device](const Completion&) { (void)device.Submit(kAppB, "second"); };
  ASSERT_TRUE(device.scheduler->Submit(std::move(request)).ok());
  EXPECT_THAT(device.answers.AwaitTags(1), ElementsAre("second"));
}

TEST(Scheduler, WindowsCountWhatHappened) {
  SchedulerOptions options;
  options.max_queued = 1;
  FakeDevice device(Discipline::kFifo, options);
  (void)device.scheduler->CloseWindow();
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "switched").ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  ASSERT_TRUE(device.Submit(kAppA, "same model").ok());
  ASSERT_FALSE(device.Submit(kAppA, "refused").ok());
  device.control->LetAllGo();
  device.answers.Await(2);
  const auto window = device.scheduler->CloseWindow();
  EXPECT_TRUE(Validate(window).ok()) << Validate(window).ToString();
  EXPECT_EQ(window.sequence, 2u);
  EXPECT_EQ(window.device, DeviceId("n1/dev0"));
  EXPECT_GT(window.busy, Duration::zero());
  ASSERT_EQ(window.apps.size(), 2u);
  EXPECT_EQ(window.apps[0].app, kAppA);
  EXPECT_EQ(window.apps[0].model, kModelA);
  EXPECT_EQ(window.apps[0].arrivals, 2u);
  EXPECT_EQ(window.apps[0].refusals, 1u);
  EXPECT_EQ(window.apps[0].completions, 2u);
  EXPECT_EQ(window.apps[0].service.count, 1u);
  EXPECT_EQ(window.apps[0].switched_service.count, 1u);
  EXPECT_DOUBLE_EQ(window.apps[0].switched_service.sum, 0.001);
  EXPECT_EQ(window.apps[1].arrivals, 0u);
}

} // namespace
} // namespace avocet

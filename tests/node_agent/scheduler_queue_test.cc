// The queue: order, switches, bound, deadlines, cancellation, drain, destruction.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/model_runner.h"
#include "node_agent/work.h"
#include "tests/node_agent/scheduler_fixture.h"

namespace avocet::test {
namespace {

using std::chrono::hours;
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

TEST(Scheduler, RefusesAPassedDeadlineAtOnce) {
  FakeDevice device;
  auto request = device.Request(kAppA, "late");
  request.deadline = Now();
  EXPECT_EQ(device.scheduler->Submit(std::move(request)).code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(device.Runs().empty());
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

/// Any run counts as short.
SchedulerOptions EveryRunIsShort() {
  SchedulerOptions options;
  options.short_run = hours(1);
  return options;
}

/// What SubmitOrRun gave at once.
std::optional<Completion> RunNow(FakeDevice& device, const AppId& app, const std::string& tag) {
  auto made = device.scheduler->SubmitOrRun(device.Request(app, tag));
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return made.ok() ? std::move(*made) : std::nullopt;
}

/// An executor is busy a moment longer than those who wait for its answers.
void AwaitIdle(FakeDevice& device, const AppId& app) {
  const MonotonicTime give_up = Now() + kPatience;
  for (bool is_made = false; !is_made && Now() < give_up;) {
    auto request = device.Request(app, "");
    request.done = [](const Completion&) {};
    const auto made = device.scheduler->SubmitOrRun(std::move(request));
    is_made = made.ok() && made->has_value();
  }
}

TEST(SchedulerShortRuns, AreMadeByTheCallerOfAnIdleDevice) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    FakeDevice device(discipline, EveryRunIsShort());
    AwaitIdle(device, kAppA);
    AwaitIdle(device, kAppB);
    (void)device.scheduler->CloseWindow();
    const auto made = RunNow(device, kAppA, "unused");
    ASSERT_TRUE(made.has_value());
    EXPECT_TRUE(made->status.ok());
    EXPECT_EQ(made->switched, discipline == Discipline::kFifo) << "model b ran last";
    EXPECT_EQ(made->outputs.at(0).data, device.Runs().back().first_input);
    EXPECT_LE(made->stamps.enqueued, made->stamps.started);
    EXPECT_LE(made->stamps.started, made->stamps.finished);
    EXPECT_EQ(device.answers.count(), 0u) << "`done` is for those who wait";
    const auto window = device.scheduler->CloseWindow();
    EXPECT_EQ(window.apps[0].arrivals, 1u);
    EXPECT_EQ(window.apps[0].completions, 1u);
    ASSERT_TRUE(device.Submit(kAppA, "the thread").ok());
    EXPECT_THAT(device.answers.AwaitTags(1), ElementsAre("the thread"));
  }
}

TEST(SchedulerShortRuns, WaitTheirTurnBehindOthers) {
  FakeDevice device(Discipline::kFifo, EveryRunIsShort());
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "1").ok());
  EXPECT_FALSE(RunNow(device, kAppB, "2").has_value());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  EXPECT_FALSE(RunNow(device, kAppB, "3").has_value());
  device.control->LetAllGo();
  EXPECT_THAT(device.answers.AwaitTags(3), ElementsAre("1", "2", "3"));
}

TEST(SchedulerShortRuns, OthersWaitBehindThem) {
  FakeDevice device(Discipline::kFifo, EveryRunIsShort());
  AwaitIdle(device, kAppA);
  const size_t before = device.Runs().size();
  device.control->Hold();
  std::thread caller([&] { EXPECT_TRUE(RunNow(device, kAppA, "1").has_value()); });
  ASSERT_TRUE(device.control->AwaitHeld(1));
  ASSERT_TRUE(device.Submit(kAppA, "2").ok());
  EXPECT_FALSE(RunNow(device, kAppB, "3").has_value());
  EXPECT_EQ(device.Runs().size(), before + 1) << "one run at a time";
  device.control->LetAllGo();
  caller.join();
  EXPECT_THAT(device.answers.AwaitTags(2), ElementsAre("2", "3"));
}

TEST(SchedulerShortRuns, AreThoseThatWereShortLately) {
  SchedulerOptions options;
  options.short_run = Duration(1); // shorter than any
  FakeDevice device(Discipline::kFifo, options);
  EXPECT_FALSE(RunNow(device, kAppA, "1").has_value());
  EXPECT_THAT(device.answers.AwaitTags(1), ElementsAre("1"));
}

TEST(SchedulerShortRuns, ALongRunIsForgottenSlowly) {
  Resident model;
  EXPECT_EQ(model.longest_run.load(), Duration::max()) << "nothing is known before the warm-up";
  NoteRun(model, milliseconds(8));
  EXPECT_EQ(model.longest_run.load(), milliseconds(8));
  NoteRun(model, milliseconds(1));
  EXPECT_EQ(model.longest_run.load(), milliseconds(7));
  NoteRun(model, milliseconds(9));
  EXPECT_EQ(model.longest_run.load(), milliseconds(9));
}

TEST(SchedulerShortRuns, EndBeforeTheDeviceDoes) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    FakeDevice device(discipline, EveryRunIsShort());
    AwaitIdle(device, kAppA);
    device.control->Hold();
    std::thread caller([&] {
      const auto made = RunNow(device, kAppA, "running");
      EXPECT_TRUE(made.has_value() && made->status.ok());
    });
    ASSERT_TRUE(device.control->AwaitHeld(1));
    ASSERT_TRUE(device.Submit(kAppA, "queued").ok());
    std::thread destroying([&] { device.scheduler.reset(); });
    EXPECT_EQ(device.answers.Await(1).at(0).completion.status.code(), StatusCode::kUnavailable);
    device.control->LetAllGo();
    caller.join();
    destroying.join();
  }
}

TEST(SchedulerShortRuns, AreRefusedAsOthersAre) {
  FakeDevice device(Discipline::kFifo, EveryRunIsShort());
  auto late = device.Request(kAppA, "late");
  late.deadline = Now() - milliseconds(1);
  EXPECT_EQ(device.scheduler->SubmitOrRun(std::move(late)).status().code(), StatusCode::kDeadlineExceeded);
  auto wrong = device.Request(kAppA, "wrong");
  wrong.inputs.clear();
  EXPECT_EQ(device.scheduler->SubmitOrRun(std::move(wrong)).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(device.Runs().empty());
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
} // namespace avocet::test

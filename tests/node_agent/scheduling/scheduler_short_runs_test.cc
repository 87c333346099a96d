// Short runs, which the caller of an idle device makes itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/scheduling/model_runner.h"
#include "node_agent/scheduling/work.h"
#include "tests/node_agent/scheduling/scheduler_fixture.h"

namespace avocet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;

MonotonicTime Now() {
  return MonotonicTime::clock::now();
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

} // namespace
} // namespace avocet

// Models on a device: loading, memory, attaching, probing, pinning.
#include <array>
#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "node_agent/scheduling/work.h"
#include "tests/node_agent/scheduling/scheduler_fixture.h"

namespace avocet {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

const ModelId kModelC{"c:1"};

/// Elements of the fake model's input, two FP32.
std::vector<std::byte> Ones() {
  const std::array<float, 2> ones{1, 1};
  const auto bytes = std::as_bytes(std::span(ones));
  return {bytes.begin(), bytes.end()};
}

TEST(SchedulerModels, LoadWarmsUpWithOnesOutsideTheMeter) {
  FakeDevice device;
  ASSERT_TRUE(device.Started());
  ASSERT_EQ(device.warm_ups, 2u);
  EXPECT_EQ(device.control->runs()[0].first_input, Ones());
  EXPECT_THAT(device.scheduler->LoadedModels(), ElementsAre(kModelA, kModelB));
  EXPECT_EQ(device.scheduler->memory_used_bytes(), 2 * kMiB);
  for (const AppWindow& app : device.scheduler->CloseWindow().apps)
    EXPECT_EQ(app.arrivals + app.completions, 0u);
}

TEST(SchedulerModels, AModelThatRanWhileItLoadedIsNotRunOnceMore) {
  FakeDevice device;
  const ModelId warm("warm:1");
  const AppId app("app-warm");
  device.control->Behave(warm, {.is_warm = true});
  ASSERT_TRUE(device.scheduler->Load({warm, "file"}).ok());
  EXPECT_TRUE(device.Runs().empty());
  ASSERT_TRUE(device.scheduler->Attach(app, warm).ok());
  ASSERT_TRUE(device.Submit(app, "1").ok());
  const auto answers = device.answers.Await(1);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].completion.switched) << "the executor ran another model last";
}

TEST(SchedulerModels, LoadYieldsTheProcessorAndItsCallerDoesNot) {
  const int own = getpriority(PRIO_PROCESS, 0);
  const FakeDevice device;
  ASSERT_TRUE(device.control->resident() == 2);
  EXPECT_EQ(device.control->nice_of_load, std::min(own + 10, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own);
}

TEST(SchedulerModels, LoadIsIdempotent) {
  FakeDevice device;
  EXPECT_TRUE(device.scheduler->Load({kModelA, "file"}).ok());
  EXPECT_EQ(device.control->runs().size(), device.warm_ups);
  EXPECT_EQ(device.control->resident(), 2);
}

TEST(SchedulerModels, LoadTakesExactlyTheFreeMemoryAndRefusesOneByteMore) {
  FakeDevice device;
  FakeBehaviour large;
  large.memory_bytes = 98 * kMiB + 1;
  device.control->Behave(kModelC, large);
  const Status refused = device.scheduler->Load({kModelC, "file"});
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.message(), HasSubstr("needs 99 MiB"));
  EXPECT_THAT(refused.message(), HasSubstr("98 MiB of 100 MiB are free"));
  EXPECT_EQ(device.control->resident(), 2);
  large.memory_bytes = 98 * kMiB;
  device.control->Behave(kModelC, large);
  EXPECT_TRUE(device.scheduler->Load({kModelC, "file"}).ok());
  EXPECT_EQ(device.scheduler->memory_used_bytes(), 100 * kMiB);
}

TEST(SchedulerModels, AFailedLoadLeavesNothingBehind) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    FakeDevice device(discipline);
    FakeBehaviour unreadable;
    unreadable.load = Corruption("not a model");
    device.control->Behave(kModelC, unreadable);
    EXPECT_EQ(device.scheduler->Load({kModelC, "file"}).code(), StatusCode::kCorruption);
    EXPECT_EQ(device.control->resident(), 2);
    EXPECT_THAT(device.scheduler->LoadedModels(), ElementsAre(kModelA, kModelB));
    EXPECT_EQ(device.scheduler->memory_used_bytes(), 2 * kMiB);
  }
}

// It may run on what clients send.
TEST(SchedulerModels, AModelThatDoesNotRunOnInventedInputsIsLoadedAndServes) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    FakeDevice device(discipline);
    FakeBehaviour unrunnable;
    unrunnable.run = Internal("not on these");
    device.control->Behave(kModelC, unrunnable);
    ASSERT_TRUE(device.scheduler->Load({kModelC, "file"}).ok());
    EXPECT_THAT(device.scheduler->FirstRunOf(kModelC).message(), HasSubstr("not on these"));
    EXPECT_THAT(device.scheduler->RunOnce(kModelC, ProbeKind::kWarm, kPatience).status().message(),
                HasSubstr("not on these"));

    device.control->Behave(kModelC, {});
    const AppId app("app-c");
    ASSERT_TRUE(device.scheduler->Attach(app, kModelC).ok());
    ASSERT_TRUE(device.Submit(app, "1").ok());
    EXPECT_TRUE(device.answers.Await(1).at(0).completion.status.ok());
  }
}

TEST(SchedulerModels, ProbesRunOnWhatIsGivenAlsoOfAModelThatIsLoaded) {
  FakeDevice device;
  const std::vector<std::byte> seven(8, std::byte{7});
  const GivenInput given{{.name = FakeBehaviour().signature.inputs.at(0).name, .fill = SampleFill::kFile}, seven};
  ASSERT_TRUE(device.scheduler->Load({kModelA, "file", {given}}).ok());
  EXPECT_EQ(device.Runs().back().first_input, seven) << "it is tried at once";
  ASSERT_TRUE(device.scheduler->RunOnce(kModelA, ProbeKind::kWarm, kPatience).ok());
  EXPECT_EQ(device.Runs().back().first_input, seven);
  EXPECT_EQ(device.control->resident(), 2) << "not loaded twice";
}

TEST(SchedulerModels, AWarmUpWaitsItsTurnButNotForEver) {
  SchedulerOptions options;
  options.warm_up_deadline = milliseconds(500);
  FakeDevice device(Discipline::kFifo, options);
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "running").ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  EXPECT_EQ(device.scheduler->Load({kModelC, "file"}).code(), StatusCode::kDeadlineExceeded);
  device.control->LetAllGo();
  ASSERT_TRUE(device.scheduler->RunOnce(kModelA, ProbeKind::kWarm, kPatience).ok()); // behind the late warm-up
  for (const FakeRun& run : device.Runs())
    EXPECT_NE(run.model, kModelC);
  EXPECT_THAT(device.scheduler->LoadedModels(), ElementsAre(kModelA, kModelB));
}

TEST(SchedulerModels, UnloadIsRefusedWhileAttachedThenFreesTheModel) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    FakeDevice device(discipline);
    const Status refused = device.scheduler->Unload(kModelA);
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(refused.message(), HasSubstr("app-a"));
    ASSERT_TRUE(device.Submit(kAppA, "1").ok());
    ASSERT_TRUE(device.scheduler->Detach(kAppA).ok());
    EXPECT_TRUE(device.scheduler->Unload(kModelA).ok());
    EXPECT_EQ(device.control->resident(), 1);
    EXPECT_EQ(device.scheduler->memory_used_bytes(), kMiB);
    EXPECT_TRUE(device.scheduler->Unload(kModelA).ok());
    EXPECT_TRUE(device.scheduler->Load({kModelA, "file"}).ok());
    EXPECT_TRUE(device.scheduler->Attach(kAppA, kModelA).ok());
    EXPECT_TRUE(device.Submit(kAppA, "2").ok());
    EXPECT_EQ(device.answers.Await(2).size(), 2u);
  }
}

TEST(SchedulerModels, AttachChecksTheModel) {
  FakeDevice device;
  EXPECT_EQ(device.scheduler->Attach(AppId("new"), kModelC).code(), StatusCode::kNotFound);
  EXPECT_TRUE(device.scheduler->Attach(kAppA, kModelA).ok());
  EXPECT_EQ(device.scheduler->Attach(kAppA, kModelB).code(), StatusCode::kAlreadyExists);
}

TEST(SchedulerModels, SignatureIsThatOfTheAttachedModel) {
  FakeDevice device;
  const auto signature = device.scheduler->SignatureOf(kAppA);
  ASSERT_TRUE(signature.ok());
  EXPECT_EQ(**signature, FakeBehaviour{}.signature);
  EXPECT_EQ(device.scheduler->SignatureOf(AppId("nobody")).status().code(), StatusCode::kNotFound);
}

TEST(SchedulerModels, DetachingAnUnknownApplicationIsFine) {
  EXPECT_TRUE(FakeDevice().scheduler->Detach(AppId("nobody")).ok());
}

TEST(SchedulerModels, AWarmProbeIsNeverSwitchedAndASwitchedOneAlwaysIs) {
  FakeDevice device;
  for (const ModelId& model : {kModelA, kModelB, kModelB, kModelA}) {
    const auto warm = device.scheduler->RunOnce(model, ProbeKind::kWarm, kPatience);
    ASSERT_TRUE(warm.ok()) << warm.status().ToString();
    EXPECT_FALSE(warm->switched);
    EXPECT_EQ(warm->attained_service, milliseconds(1));
    EXPECT_EQ(device.control->runs().back().model, model);
    EXPECT_FALSE(device.control->runs().back().switched);
    const auto switched = device.scheduler->RunOnce(model, ProbeKind::kSwitched, kPatience);
    ASSERT_TRUE(switched.ok()) << switched.status().ToString();
    EXPECT_TRUE(switched->switched);
    EXPECT_EQ(device.control->runs().back().model, model);
    EXPECT_TRUE(device.control->runs().back().switched);
  }
}

TEST(SchedulerModels, AProbeRunsTwiceAtMostAndOnceWhereThatIsEnough) {
  FakeDevice device; // model b ran last
  const auto cost = [&](const ModelId& model, ProbeKind kind) {
    const size_t before = device.control->runs().size();
    EXPECT_TRUE(device.scheduler->RunOnce(model, kind, kPatience).ok());
    return device.control->runs().size() - before;
  };
  EXPECT_EQ(cost(kModelB, ProbeKind::kWarm), 1u);
  EXPECT_EQ(cost(kModelA, ProbeKind::kSwitched), 1u);
  EXPECT_EQ(cost(kModelA, ProbeKind::kSwitched), 2u);
  EXPECT_EQ(cost(kModelB, ProbeKind::kWarm), 2u);
}

TEST(SchedulerModels, ProbesServeInTurnAndLeaveTheMetersAlone) {
  FakeDevice device;
  (void)device.scheduler->CloseWindow();
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppA, "before").ok());
  ASSERT_TRUE(device.control->AwaitHeld(1));
  Result<Probe> probe = Internal("not yet");
  std::thread probing([&] { probe = device.scheduler->RunOnce(kModelB, ProbeKind::kSwitched, kPatience); });
  device.control->LetAllGo();
  probing.join();
  EXPECT_TRUE(probe.ok());
  EXPECT_EQ(device.Runs().at(0).model, kModelA);
  EXPECT_EQ(device.Runs().at(1).model, kModelB);
  const auto window = device.scheduler->CloseWindow();
  EXPECT_EQ(window.apps[0].arrivals, 1u);
  EXPECT_EQ(window.apps[1].arrivals + window.apps[1].completions + window.apps[1].switched_service.count, 0u);
}

TEST(SchedulerModels, ProbeErrorsAreNamed) {
  FakeDevice device;
  EXPECT_EQ(device.scheduler->RunOnce(kModelC, ProbeKind::kWarm, kPatience).status().code(), StatusCode::kNotFound);
  FakeBehaviour failing;
  failing.run = Internal("broken");
  device.control->Behave(kModelA, failing);
  const auto failed = device.scheduler->RunOnce(kModelA, ProbeKind::kWarm, kPatience);
  EXPECT_EQ(failed.status().code(), StatusCode::kInternal);
  EXPECT_THAT(failed.status().message(), HasSubstr("probe of 'a:1'"));
  device.control->Hold();
  ASSERT_TRUE(device.Submit(kAppB, "running").ok());
  EXPECT_EQ(device.scheduler->RunOnce(kModelB, ProbeKind::kWarm, milliseconds(20)).status().code(),
            StatusCode::kDeadlineExceeded);
}

TEST(SchedulerModels, ASwitchTakesASecondModelUnlessTheDeviceIsEmulated) {
  for (const bool emulated : {false, true}) {
    DeviceSpec spec = FakeSpec(Discipline::kFifo);
    spec.engine = emulated ? EngineKind::kEmulated : EngineKind::kTflite;
    auto control = std::make_shared<FakeControl>();
    DeviceScheduler scheduler(spec, BootId("boot1"), std::make_unique<FakeEngine>(control));
    ASSERT_TRUE(scheduler.Load({kModelA, "file"}).ok());
    const auto probe = scheduler.RunOnce(kModelA, ProbeKind::kSwitched, kPatience);
    EXPECT_EQ(probe.ok(), emulated);
    if (emulated)
      EXPECT_TRUE(probe->switched && control->runs().back().switched);
    else
      EXPECT_EQ(probe.status().code(), StatusCode::kUnavailable);
  }
}

TEST(SchedulerModels, TimeSharedProbesAreNeverSwitched) {
  FakeDevice device(Discipline::kTimeShared);
  EXPECT_EQ(device.scheduler->RunOnce(kModelA, ProbeKind::kSwitched, kPatience).status().code(),
            StatusCode::kUnsupported);
  const auto warm = device.scheduler->RunOnce(kModelA, ProbeKind::kWarm, kPatience);
  ASSERT_TRUE(warm.ok());
  EXPECT_FALSE(warm->switched);
}

TEST(SchedulerModels, CoresThatDoNotExistAreRefusedAtLoad) {
  for (const Discipline discipline : {Discipline::kFifo, Discipline::kTimeShared}) {
    DeviceSpec spec = FakeSpec(discipline);
    spec.cores = {CPU_SETSIZE - 1};
    DeviceScheduler scheduler(spec, BootId("boot1"), std::make_unique<FakeEngine>(std::make_shared<FakeControl>()));
    const Status status = scheduler.Load({kModelA, "file"});
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(std::to_string(CPU_SETSIZE - 1)));
  }
}

/// That this process may run on.
int FirstAllowedCore() {
  cpu_set_t allowed;
  EXPECT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  int core = 0;
  while (core < CPU_SETSIZE - 1 && !CPU_ISSET(core, &allowed))
    ++core;
  return core;
}

TEST(SchedulerModels, ExecutorsStayOnTheirCores) {
  const int core = FirstAllowedCore();
  DeviceSpec spec = FakeSpec(Discipline::kFifo);
  spec.cores = {core};
  DeviceScheduler scheduler(spec, BootId("boot1"), std::make_unique<FakeEngine>(std::make_shared<FakeControl>()));
  ASSERT_TRUE(scheduler.Load({kModelA, "file"}).ok());
  ASSERT_TRUE(scheduler.Attach(kAppA, kModelA).ok());
  cpu_set_t seen;
  Answers answers;
  const std::vector<std::byte> input(8);
  InferenceRequest request;
  request.app = kAppA;
  request.inputs = {TensorView{{"in", DataType::kFp32, {2}}, input}};
  request.done = [&, done = answers.For("1")](Completion completion) {
    sched_getaffinity(0, sizeof(seen), &seen);
    done(std::move(completion));
  };
  ASSERT_TRUE(scheduler.Submit(std::move(request)).ok());
  ASSERT_EQ(answers.Await(1).size(), 1u);
  EXPECT_EQ(CPU_COUNT(&seen), 1);
  EXPECT_TRUE(CPU_ISSET(core, &seen));
}

TEST(SchedulerModels, NobodyElseRunsWhereADeviceHasItsOwnCores) {
  const int core = FirstAllowedCore();
  DeviceSpec spec = FakeSpec(Discipline::kFifo);
  spec.cores = {core};
  SchedulerOptions options;
  options.short_run = std::chrono::hours(1);
  DeviceScheduler scheduler(spec, BootId("boot1"), std::make_unique<FakeEngine>(std::make_shared<FakeControl>()),
                            options);
  ASSERT_TRUE(scheduler.Load({kModelA, "file"}).ok());
  ASSERT_TRUE(scheduler.Attach(kAppA, kModelA).ok());
  Answers answers;
  const std::vector<std::byte> input(8);
  InferenceRequest request;
  request.app = kAppA;
  request.inputs = {TensorView{{"in", DataType::kFp32, {2}}, input}};
  request.done = answers.For("1");
  const auto made = scheduler.SubmitOrRun(std::move(request));
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(made->has_value());
  EXPECT_EQ(answers.Await(1).size(), 1u);
}

} // namespace
} // namespace avocet

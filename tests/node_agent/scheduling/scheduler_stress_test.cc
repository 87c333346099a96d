// Many threads against one scheduler: whatever happens, every accepted request is answered once.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/node_agent/scheduling/scheduler_fixture.h"

namespace avocet {
namespace {

constexpr uint32_t kSeed = 20240607;
constexpr int kThreads = 4;
constexpr int kRequestsEach = 600;

/// What became of the requests.
struct Ledger {
  std::vector<std::atomic<int>> answers = std::vector<std::atomic<int>>(kThreads * kRequestsEach);
  std::vector<std::atomic<bool>> accepted = std::vector<std::atomic<bool>>(kThreads * kRequestsEach);
  std::atomic<uint64_t> accepted_count = 0;
};

void SubmitMany(FakeDevice& device, Ledger& ledger, int thread) {
  std::mt19937 random(kSeed + static_cast<uint32_t>(thread));
  for (int i = 0; i < kRequestsEach; ++i) {
    const auto index = static_cast<size_t>(thread) * kRequestsEach + static_cast<size_t>(i);
    auto request = device.Request(random() % 2 == 0 ? kAppA : kAppB, "");
    std::stop_source source;
    request.cancel = source.get_token();
    if (random() % 8 == 0) request.deadline = MonotonicTime::clock::now() + std::chrono::microseconds(random() % 200);
    request.done = [&ledger, index](const Completion&) { ++ledger.answers[index]; };
    bool is_accepted = false;
    if (random() % 2 == 0) {
      is_accepted = device.scheduler->Submit(std::move(request)).ok();
    } else if (const auto made = device.scheduler->SubmitOrRun(std::move(request)); made.ok()) {
      is_accepted = true;
      if (made->has_value()) ++ledger.answers[index];
    }
    ledger.accepted[index] = is_accepted;
    ledger.accepted_count += is_accepted ? 1 : 0;
    if (random() % 4 == 0) {
      source.request_stop();
      device.scheduler->DropCancelled();
    }
  }
}

void DetachAndAttach(FakeDevice& device, const std::atomic<bool>& is_over) {
  while (!is_over) {
    EXPECT_TRUE(device.scheduler->Detach(kAppA).ok());
    EXPECT_TRUE(device.scheduler->Unload(kModelA).ok());
    EXPECT_TRUE(device.scheduler->Load({kModelA, "file"}).ok());
    EXPECT_TRUE(device.scheduler->Attach(kAppA, kModelA).ok());
  }
}

void Probing(FakeDevice& device, const std::atomic<bool>& is_over) {
  while (!is_over) {
    (void)device.scheduler->RunOnce(kModelB, ProbeKind::kWarm, kPatience);
    std::this_thread::yield();
  }
}

class SchedulerStress : public testing::TestWithParam<std::tuple<Discipline, bool>> {};

TEST_P(SchedulerStress, EveryAcceptedRequestIsAnsweredExactlyOnceAndMetered) {
  const auto [discipline, can_cancel] = GetParam();
  RecordProperty("seed", kSeed);
  SchedulerOptions options;
  options.max_queued = 16;
  options.short_run = std::chrono::hours(1);
  FakeDevice device(discipline, options, can_cancel);
  ASSERT_TRUE(device.Started());
  Ledger ledger;
  std::atomic<bool> is_over = false;
  std::vector<std::thread> submitters;
  for (int t = 0; t < kThreads; ++t)
    submitters.emplace_back([&, t] { SubmitMany(device, ledger, t); });
  std::thread detacher([&] { DetachAndAttach(device, is_over); });
  std::thread prober([&] { Probing(device, is_over); });
  uint64_t arrivals = 0;
  uint64_t answered = 0;
  const auto count = [&](const MeasurementWindow& window) {
    EXPECT_TRUE(Validate(window).ok()) << Validate(window).ToString();
    for (const AppWindow& app : window.apps) {
      arrivals += app.arrivals;
      answered += app.completions + app.failures;
    }
  };
  for (int i = 0; i < 200; ++i)
    count(device.scheduler->CloseWindow());
  for (std::thread& thread : submitters)
    thread.join();
  is_over = true;
  detacher.join();
  prober.join();
  EXPECT_TRUE(device.scheduler->Detach(kAppA).ok());
  EXPECT_TRUE(device.scheduler->Detach(kAppB).ok());
  count(device.scheduler->CloseWindow());
  EXPECT_EQ(arrivals, ledger.accepted_count);
  EXPECT_EQ(answered, ledger.accepted_count);
  for (size_t i = 0; i < ledger.answers.size(); ++i)
    ASSERT_EQ(ledger.answers[i], ledger.accepted[i] ? 1 : 0) << i;
}

INSTANTIATE_TEST_SUITE_P(Devices, SchedulerStress,
                         testing::Combine(testing::Values(Discipline::kFifo, Discipline::kTimeShared),
                                          testing::Bool()));

TEST(SchedulerStress, DestructionUnderLoadAnswersEverything) {
  for (int round = 0; round < 50; ++round) {
    FakeDevice device;
    std::atomic<int> answers = 0;
    int accepted = 0;
    for (int i = 0; i < 64; ++i) {
      auto request = device.Request(i % 2 == 0 ? kAppA : kAppB, "");
      request.done = [&answers](const Completion&) { ++answers; };
      if (device.scheduler->Submit(std::move(request)).ok()) ++accepted;
    }
    device.scheduler.reset();
    ASSERT_EQ(answers, accepted);
  }
}

} // namespace
} // namespace avocet

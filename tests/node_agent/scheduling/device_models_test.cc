// The models of a device without a scheduler above them: users, executors, and what is left in queues.
#include "node_agent/scheduling/device_models.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node_agent/scheduling/executor.h"
#include "node_agent/scheduling/meter.h"
#include "node_agent/scheduling/model_runner.h"
#include "tests/support/fake_engine.h"

namespace avocet::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const AppId kAppA("app-a"), kAppB("app-b");
const ModelId kModelA("a:1"), kModelB("b:1");

/// Models of a fake engine, with a and b loaded. Runs whatever its executors are given.
class Models {
public:
  explicit Models(Discipline discipline) : spec_(Spec(discipline)), models_(Make()) {
    for (const ModelId& model : {kModelA, kModelB})
      EXPECT_TRUE(models_->Load({model, "file"}).ok());
  }
  ~Models() { control->LetAllGo(); }
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  DeviceModels* operator->() { return models_.get(); }

  /// The use of a loaded model; the application need not release it.
  ModelUse Use(const AppId& app, const ModelId& model) {
    auto use = models_->Use(app, model);
    EXPECT_TRUE(use.ok()) << use.status().ToString();
    return use.ok() ? *use : ModelUse{};
  }
  /// Queues a run without inputs.
  void Push(const ModelUse& use) {
    Work work;
    work.model = use.resident;
    work.request.done = [this](const Completion&) { ++answered; };
    use.executor->Push(std::move(work));
  }

  std::shared_ptr<FakeControl> control = std::make_shared<FakeControl>();
  std::atomic<int> executors = 0; ///< that were made
  std::atomic<int> answered = 0;

private:
  static DeviceSpec Spec(Discipline discipline) {
    DeviceSpec spec;
    spec.node = NodeId("n1");
    spec.name = "dev0";
    spec.discipline = discipline;
    spec.memory_bytes = 100 * kMiB;
    return spec;
  }
  std::unique_ptr<DeviceModels> Make() {
    return std::make_unique<DeviceModels>(spec_, engine_, kPatience, [this] { return MakeServe(); });
  }
  DeviceModels::Serve MakeServe() {
    ++executors;
    auto runner = std::make_shared<ModelRunner>(spec_.discipline, meter_, nullptr);
    return [runner](Work work) {
      Completion completion = runner->Run(work);
      work.model.reset();
      work.other.reset();
      work.request.done(std::move(completion));
    };
  }

  const DeviceSpec spec_;
  FakeEngine engine_{control};
  Meter meter_{spec_.id(), BootId("boot1"), MonotonicTime::clock::now()};
  std::unique_ptr<DeviceModels> models_; // last: its executors use the others
};

bool Any(const Work& /*work*/) {
  return true;
}

class DeviceModelsTest : public testing::TestWithParam<Discipline> {};
INSTANTIATE_TEST_SUITE_P(Disciplines, DeviceModelsTest, testing::Values(Discipline::kFifo, Discipline::kTimeShared),
                         [](const auto& param_info) {
                           return param_info.param == Discipline::kFifo ? "Fifo" : "TimeShared";
                         });

TEST_P(DeviceModelsTest, AModelStaysLoadedUntilItsLastUserReleasesIt) {
  Models models(GetParam());
  (void)models.Use(kAppB, kModelA);
  (void)models.Use(kAppA, kModelA);
  (void)models.Use(kAppA, kModelA); // a second time changes nothing
  const Status refused = models->Unload(kModelA);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.message(), HasSubstr("application 'app-a' still uses model 'a:1'"));

  models->Release(kAppA, kModelA);
  EXPECT_EQ(models->Unload(kModelA).code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(models->LoadedModels(), ElementsAre(kModelA, kModelB));

  models->Release(kAppB, kModelA);
  EXPECT_TRUE(models->Unload(kModelA).ok());
  EXPECT_THAT(models->LoadedModels(), ElementsAre(kModelB));
  EXPECT_EQ(models->MemoryOf(kModelA), 0u);
  EXPECT_EQ(models->memory_used_bytes(), kMiB);
  EXPECT_EQ(models.control->resident(), 1);
}

TEST_P(DeviceModelsTest, OnlyALoadedModelCanBeUsed) {
  Models models(GetParam());
  ASSERT_TRUE(models->Unload(kModelA).ok());
  EXPECT_EQ(models->Use(kAppA, kModelA).status().code(), StatusCode::kNotFound);
  models->Release(kAppA, kModelA); // of what is not used: harmless
  ASSERT_TRUE(models->Load({kModelA, "file"}).ok());
  EXPECT_TRUE(models->Unload(kModelA).ok()) << "the refused use left no user behind";
}

TEST_P(DeviceModelsTest, ModelsShareOneExecutorOnlyUnderFifo) {
  Models models(GetParam());
  const bool is_fifo = GetParam() == Discipline::kFifo;
  EXPECT_EQ(models.Use(kAppA, kModelA).executor == models.Use(kAppB, kModelB).executor, is_fifo);
  EXPECT_EQ(models.executors, is_fifo ? 1 : 2);
}

TEST_P(DeviceModelsTest, AReloadedModelIsAnotherGeneration) {
  Models models(GetParam());
  const uint64_t first = models.Use(kAppA, kModelA).resident->generation;
  models->Release(kAppA, kModelA);
  ASSERT_TRUE(models->Unload(kModelA).ok());
  ASSERT_TRUE(models->Load({kModelA, "file"}).ok());
  EXPECT_GT(models.Use(kAppA, kModelA).resident->generation, first);
}

TEST_P(DeviceModelsTest, ExtractTakesMatchingWorkFromAllExecutors) {
  Models models(GetParam());
  const ModelUse a = models.Use(kAppA, kModelA);
  const ModelUse b = models.Use(kAppB, kModelB);
  models.control->Hold();
  models.Push(a);
  models.Push(b);
  ASSERT_TRUE(models.control->AwaitHeld(GetParam() == Discipline::kFifo ? 1 : 2));
  models.Push(a);
  models.Push(b);
  const auto taken = models->Extract([&](const Work& work) { return work.model == b.resident; });
  for (const Work& work : taken)
    EXPECT_EQ(work.model->id, kModelB);
  EXPECT_EQ(taken.size() + models->Extract(Any).size(), GetParam() == Discipline::kFifo ? 3u : 2u);
  EXPECT_THAT(models->Extract(Any), IsEmpty());
}

TEST_P(DeviceModelsTest, AStoppedExecutorServesNothingAndGivesItsWorkBack) {
  Models models(GetParam());
  const ModelUse use = models.Use(kAppA, kModelA);
  EXPECT_THAT(models->Stop(), IsEmpty());
  const size_t runs = models.control->runs().size();
  models.Push(use);
  EXPECT_EQ(models->Stop().size(), 1u);
  EXPECT_EQ(models.control->runs().size(), runs);
  EXPECT_EQ(models.answered, 0);
}

TEST(DeviceModels, AnUnloadEndsTheRunInHandAndDropsTheProbeBehindIt) {
  Models models(Discipline::kTimeShared);
  models.control->Hold();
  models.Push(models.Use(kAppA, kModelA));
  ASSERT_TRUE(models.control->AwaitHeld(1));
  const size_t runs = models.control->runs().size();
  EXPECT_EQ(models->RunOnce(kModelA, ProbeKind::kWarm, milliseconds(5)).status().code(), StatusCode::kDeadlineExceeded);
  models->Release(kAppA, kModelA);
  Status unloaded = Internal("not yet");
  std::thread unloading([&] { unloaded = models->Unload(kModelA); });
  models.control->LetAllGo();
  unloading.join();
  EXPECT_TRUE(unloaded.ok()) << unloaded.ToString();
  EXPECT_EQ(models.answered, 1);
  EXPECT_EQ(models.control->runs().size(), runs);
  EXPECT_EQ(models.control->resident(), 1);
}

TEST(DeviceModels, AModelIsUsableOnlyOnceItIsWarm) {
  Models models(Discipline::kTimeShared);
  const ModelId cold("cold:1");
  models.control->Hold();
  Status loaded = Internal("not yet");
  std::thread loading([&] { loaded = models->Load({cold, "file"}); });
  const bool is_warming_up = models.control->AwaitHeld(1);
  const Status refused = models->Use(kAppA, cold).status();
  models.control->LetAllGo();
  loading.join();
  EXPECT_TRUE(is_warming_up);
  EXPECT_EQ(refused.code(), StatusCode::kNotFound);
  EXPECT_TRUE(loaded.ok()) << loaded.ToString();
  EXPECT_TRUE(models->Use(kAppA, cold).ok());
}

} // namespace
} // namespace avocet::test

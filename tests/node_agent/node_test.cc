// Starts and stops of one application that overtake each other: the later epoch owns the route.
#include <gtest/gtest.h>

#include <functional>
#include <future>

#include "node_agent/node.h"
#include "tests/support/fake_engine.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

const AppId kCam("cam");
const DeviceId kA("n1/a"), kB("n1/b");
const ModelId kOld("old:1"), kNew("new:1");

class NodeTest : public testing::Test {
protected:
  NodeTest() {
    NodeOptions options{.id = NodeId("n1"), .boot = BootId("boot"), .files = {.directory = dir_.path()}};
    for (const char* name : {"a", "b"}) {
      DeviceSpec spec;
      spec.node = NodeId("n1");
      spec.name = name;
      spec.discipline = Discipline::kFifo;
      spec.memory_bytes = 100 * kMiB;
      spec.type = "fake";
      options.devices.push_back(spec);
    }
    // Each device has a control of its own: made in the order of the devices.
    options.make_engine = [this](const EngineOptions&) -> Result<std::unique_ptr<Engine>> {
      auto control = made_++ == 0 ? a_ : b_;
      return std::unique_ptr<Engine>(std::make_unique<FakeEngine>(control));
    };
    node_ = std::move(*Node::Open(options));
  }
  ~NodeTest() override {
    a_->LetAllGo();
    b_->LetAllGo();
  }

  static Command MakeCommand(CommandKind kind, const DeviceId& device, uint64_t epoch, const ModelId& model) {
    return {.kind = kind,
            .epoch = epoch,
            .device = device,
            .app = kCam,
            .model = model,
            .format = ModelFormat::kEmulated,
            .file = Sha256Of(model.str()),
            .size_bytes = model.str().size()};
  }
  Status Start(
      const DeviceId& device, uint64_t epoch, const ModelId& model = kOld,
      const std::function<void()>& while_fetching = [] {}) {
    return node_->Start(MakeCommand(CommandKind::kStart, device, epoch, model),
                        [&](const Sha256&, uint64_t offset) -> Result<std::string> {
                          while_fetching();
                          return model.str().substr(offset);
                        });
  }
  Status Stop(const DeviceId& device, uint64_t epoch) {
    return node_->Stop(MakeCommand(CommandKind::kStop, device, epoch, kOld));
  }
  std::future<Status> StartAside(const DeviceId& device, uint64_t epoch, const ModelId& model = kOld) {
    return std::async(std::launch::async, [=, this] { return Start(device, epoch, model); });
  }

  std::string Serving() const {
    const Route route = node_->router()->Find(kCam);
    return route.device ? route.device->spec().id().str() + " " + route.model.str() : "nobody";
  }
  /// What a request would find: the route's device knows the application.
  bool Answers() const {
    const Route route = node_->router()->Find(kCam);
    return route.device && route.device->SignatureOf(kCam).ok();
  }

  TempDir dir_;
  int made_ = 0;
  std::shared_ptr<FakeControl> a_ = std::make_shared<FakeControl>(), b_ = std::make_shared<FakeControl>();
  std::unique_ptr<Node> node_;
};

TEST_F(NodeTest, AStartThatIsOvertakenWhileItLoadsLeavesNothing) {
  a_->Hold(); // the warm-up
  auto slow = StartAside(kA, 1, kOld);
  ASSERT_TRUE(a_->AwaitHeld(1));
  ASSERT_TRUE(Start(kB, 2, kNew).ok());
  a_->LetAllGo();
  EXPECT_EQ(slow.get().code(), StatusCode::kCancelled);
  EXPECT_EQ(Serving(), "n1/b new:1");
  EXPECT_TRUE(Answers());
  EXPECT_EQ(a_->resident(), 0);
  EXPECT_EQ(b_->resident(), 1);
}

TEST_F(NodeTest, AStartThatIsStoppedWhileItLoadsLeavesNothing) {
  a_->Hold();
  auto slow = StartAside(kA, 1);
  ASSERT_TRUE(a_->AwaitHeld(1));
  node_->Announce(MakeCommand(CommandKind::kStop, kA, 1, kOld)); // its turn comes when the load ended
  a_->LetAllGo();
  EXPECT_EQ(slow.get().code(), StatusCode::kCancelled);
  EXPECT_TRUE(Stop(kA, 1).ok());
  EXPECT_EQ(Serving(), "nobody");
  EXPECT_EQ(a_->resident(), 0);
}

TEST_F(NodeTest, AStartThatIsStoppedWhileItFetchesFetchesNoFurther) {
  int fetches = 0;
  const Status status = Start(kA, 1, kOld, [&] {
    ++fetches;
    node_->Announce(MakeCommand(CommandKind::kStop, kA, 1, kOld));
  });
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(fetches, 1);
  EXPECT_EQ(Serving(), "nobody");
  EXPECT_EQ(a_->resident(), 0);
}

TEST_F(NodeTest, AStartThatBeginsLateIsPast) {
  ASSERT_TRUE(Start(kB, 2).ok());
  EXPECT_EQ(Start(kA, 1).code(), StatusCode::kCancelled);
  EXPECT_EQ(Serving(), "n1/b old:1");
  ASSERT_TRUE(Stop(kB, 2).ok());
  EXPECT_EQ(Start(kB, 2).code(), StatusCode::kCancelled);
  EXPECT_EQ(Serving(), "nobody");
}

TEST_F(NodeTest, AStopEndsCopiesOfItsDeviceUpToItsEpoch) {
  ASSERT_TRUE(Start(kA, 5).ok());
  EXPECT_TRUE(Stop(kA, 4).ok());
  EXPECT_TRUE(Stop(kB, 5).ok());
  EXPECT_EQ(Serving(), "n1/a old:1");
  EXPECT_TRUE(Answers());
  EXPECT_TRUE(Stop(kA, 5).ok());
  EXPECT_EQ(Serving(), "nobody");
  EXPECT_EQ(a_->resident(), 0);
  EXPECT_TRUE(Stop(kA, 5).ok()) << "again";
}

TEST_F(NodeTest, ALaterStartThatFailsLeavesTheEarlierCopyServing) {
  ASSERT_TRUE(Start(kA, 1).ok());
  b_->Behave(kNew, {.load = Internal("broken")});
  EXPECT_FALSE(Start(kB, 2, kNew).ok());
  EXPECT_EQ(Serving(), "n1/a old:1");
  EXPECT_TRUE(Answers());
  EXPECT_TRUE(Start(kA, 3).ok()) << "to go back to it";
  EXPECT_TRUE(Answers());
  EXPECT_EQ(a_->resident(), 1);
}

TEST_F(NodeTest, MovesBackAndForthKeepOneCopy) {
  for (uint64_t epoch = 1; epoch <= 6; ++epoch) {
    ASSERT_TRUE(Start(epoch % 2 == 0 ? kB : kA, epoch, epoch % 3 == 0 ? kNew : kOld).ok());
    EXPECT_TRUE(Answers());
    EXPECT_EQ(a_->resident() + b_->resident(), 1);
  }
  EXPECT_EQ(Serving(), "n1/b new:1");
}

TEST_F(NodeTest, AnotherModelOnTheSameDeviceReplacesTheFirst) {
  ASSERT_TRUE(Start(kA, 1, kOld).ok());
  ASSERT_TRUE(Start(kA, 2, kNew).ok());
  EXPECT_EQ(Serving(), "n1/a new:1");
  EXPECT_TRUE(Answers());
  EXPECT_EQ(a_->resident(), 1);
}

/// Whatever the order in which two devices end their starts, the last command decides.
TEST_F(NodeTest, StartsOnTwoDevicesAtOnceEndAtTheLatest) {
  for (uint64_t round = 0; round < 50; ++round) {
    const uint64_t epoch = 1 + 3 * round;
    auto a = StartAside(kA, epoch, round % 2 == 0 ? kOld : kNew);
    auto b = StartAside(kB, epoch + 1, round % 3 == 0 ? kOld : kNew);
    (void)a.get();
    ASSERT_TRUE(b.get().ok());
    EXPECT_EQ(node_->router()->Find(kCam).device->spec().id(), kB);
    EXPECT_TRUE(Answers());
    EXPECT_EQ(a_->resident(), 0) << "round " << round;
    EXPECT_EQ(b_->resident(), 1) << "round " << round;
    if (round % 5 != 0) continue;
    ASSERT_TRUE(Stop(kB, epoch + 1).ok());
    EXPECT_EQ(Serving(), "nobody");
  }
}

} // namespace
} // namespace avocet

// A controller whose records are lost, or older than what its agents run; and one whose model files are lost.
#include <fstream>

#include "node_agent/model_files.h"
#include "tests/actors/controller/controller_actor_fixture.h"
#include "tests/support/emulated_text.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

TEST_F(ControllerActorTest, AnAgentOfAnotherClusterIsLeftAloneUntilItIsAdopted) {
  Store(kApplications, MakeApp("cam", "pose"));
  Store(kPlacements, PlacedCam());
  Restart();
  const uint64_t cluster = **Load(control->memory, kCluster);
  const Claimant other{.cluster = cluster + 1};

  EXPECT_EQ(Register(other).code(), StatusCode::kDenied);
  EXPECT_EQ(Register(other).code(), StatusCode::kDenied);
  EXPECT_TRUE(fake->commands.empty());
  const auto refused = EventsOf("node_refused");
  ASSERT_EQ(refused.size(), 1U) << "it goes on trying, and is told once";
  EXPECT_NE(refused[0].find("avocet node adopt n1"), std::string::npos);
  const auto nodes = Ask<NodeList>(controller, ListNodes{})->nodes;
  ASSERT_EQ(nodes.size(), 1U) << "shown although it never registered";
  EXPECT_EQ(nodes[0].health, DeviceHealth::kAway);
  EXPECT_NE(nodes[0].note.find("belongs to cluster"), std::string::npos);

  EXPECT_EQ(Ask<AdoptedNode>(controller, AdoptNode{NodeId("n2")}).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(Ask<AdoptedNode>(controller, AdoptNode{NodeId("n1")}).ok());
  EXPECT_TRUE(Register(other).ok());
  EXPECT_EQ(Ask<NodeList>(controller, ListNodes{})->nodes[0].note, "");
  EXPECT_EQ(fake->commands.size(), 1U) << "from now on it is commanded as any other";
}

TEST_F(ControllerActorTest, TellsAgentsOfOneClusterOverAllItsStarts) {
  const auto welcome = [&] {
    return Ask<Welcome>(controller, RegisterAgent{TestNode(), {}, agent, caf::actor_cast<window_ack_handle>(self)})
        ->cluster;
  };
  const uint64_t cluster = welcome();
  EXPECT_NE(cluster, 0U);
  Restart();
  EXPECT_EQ(welcome(), cluster);
}

TEST_F(ControllerActorTest, LeavesRunningWhatItHasNoRecordOf) {
  ASSERT_TRUE(Register({RunningCam(9)}).ok());
  ASSERT_TRUE(Report(RunningCam(9)).ok());
  EXPECT_TRUE(fake->commands.empty()) << "a controller from an older copy must not stop what it does not know";
  const auto found = EventsOf("orphan_found");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].find("epoch 9"), std::string::npos);
  EXPECT_EQ(Ask<NodeList>(controller, ListNodes{})->nodes[0].note, "left running, but not in the records: cam");

  ASSERT_TRUE(Ask<RemovedApp>(controller, RemoveApp{AppId("cam")}).ok());
  ASSERT_EQ(fake->commands.size(), 1U);
  EXPECT_EQ(fake->commands[0].kind, CommandKind::kStop);
  EXPECT_EQ(fake->commands[0].epoch, 9U);
  EXPECT_EQ(Ask<NodeList>(controller, ListNodes{})->nodes[0].note, "");

  fake->commands.clear();
  Restart();
  ASSERT_TRUE(Register({RunningCam(9)}).ok());
  EXPECT_EQ(fake->commands.size(), 1U) << "the removal is remembered over a restart";
}

TEST_F(ControllerActorTest, AModelWhoseFileIsLostIsShownUntilItIsImportedAgain) {
  TempDir dir;
  const std::string bytes = EmulatedText("weights");
  const Model model{.name = "pose", .variants = {{ModelFormat::kEmulated, Sha256Of(bytes), bytes.size()}}};
  Store(kModels, model);
  Kill(controller);
  ControllerOptions options;
  options.detached = false;
  auto spawned = SpawnController(system, std::make_unique<FaultyStore>(control),
                                 *ModelFiles::Open({.directory = dir.path(), .evict = false}), options);
  ASSERT_TRUE(spawned.ok());
  controller = Keep(*spawned);
  EXPECT_NE(EventsOf("model_file_lost").back().find("is not in models/"), std::string::npos);
  EXPECT_NE(Ask<ModelList>(controller, ListModels{})->models[0].note, "");

  const auto& file = model.variants[0].file;
  ASSERT_TRUE(Ask<ModelChunkStored>(controller, PutModelChunk{file, 0, bytes.size(), bytes}).ok());
  ASSERT_TRUE(Ask<Model>(controller, ImportModel{model}).ok());
  EXPECT_EQ(Ask<ModelList>(controller, ListModels{})->models[0].note, "");

  std::ofstream(dir.path() / file.str()) << EmulatedText("weighty");
  EXPECT_EQ(Ask<ModelChunk>(controller, FetchModel{file, 0}).status().code(), StatusCode::kCorruption);
  EXPECT_NE(EventsOf("model_file_lost").back().find("was damaged"), std::string::npos);
  EXPECT_NE(Ask<ModelList>(controller, ListModels{})->models[0].note, "");
}

} // namespace
} // namespace avocet

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/controller/placement_actor.h"
#include "actors/controller/snapshot_actor.h"
#include "actors/store_actor.h"
#include "node_agent/model_files.h"
#include "storage/records.h"
#include "tests/support/actor_fixture.h"
#include "tests/support/emulated_text.h"
#include "tests/support/fake_agent.h"
#include "tests/support/temp_dir.h"
#include "tests/support/view_builder.h"

namespace avocet {

/// The placement actor with a store actor on disk that can be made to fail, and an agent that only notes what it is
/// told. Nothing is registered or imported: see ReadyForApps.
class PlacementActorTest : public ActorTest {
protected:
  PlacementActorTest() {
    store = Keep(SpawnStore(system, std::make_unique<FaultyStore>(control),
                            *ModelFiles::Open({.directory = dir.path()}), false));
    agent = Keep(system.spawn(FakeAgent::Behavior, fake));
    Restart();
  }

  /// New placement and snapshot actors with what is on disk.
  void Restart() {
    if (placement) Kill(placement), Kill(snapshots);
    auto records = LoadControllerRecords(control->memory);
    ASSERT_TRUE(records.ok()) << records.status().ToString();
    snapshots = Keep(SpawnSnapshots(system, {store, {}}, false));
    placement = Keep(system.spawn(PlacementBehavior, std::make_shared<const PlacementActorArgs>(
                                                         PlacementActorArgs{*records, store, snapshots, {}})));
    Run();
  }

  Status BringUp(const std::string& node = "n1", std::vector<Placement> running = {}) {
    return Ask<Welcome>(placement, NodeUp{TestNode(node), std::move(running), agent}).status();
  }

  Status Import(const std::string& name = "pose") {
    const std::string bytes = EmulatedText(name);
    const Sha256 file = Sha256Of(bytes);
    auto stored = Ask<ModelChunkStored>(store, PutModelChunk{file, 0, bytes.size(), bytes});
    if (!stored.ok()) return stored.status();
    return Ask<Model>(placement,
                      ImportModel{{.name = name, .variants = {{ModelFormat::kEmulated, file, bytes.size()}}}})
        .status();
  }

  Result<Decision> Apply(const std::string& app, double rate_rps = 5) {
    return Ask<Decision>(placement, ApplyApp{MakeApp(app, "pose", {.rate_rps = rate_rps})});
  }

  Placement ReportOf(const Command& command, PlacementPhase phase = PlacementPhase::kReady) {
    return {.app = command.app,
            .device = command.device,
            .model = command.model,
            .format = command.format,
            .file = command.file,
            .epoch = command.epoch,
            .phase = phase,
            .reason = phase == PlacementPhase::kFailed ? "out of memory" : ""};
  }

  void ReadyForApps() {
    ASSERT_TRUE(BringUp().ok());
    ASSERT_TRUE(Import().ok());
  }

  PlacementPhase PhaseOf(const std::string& app) {
    return Ask<AppStatus>(snapshots, GetApp{AppId(app)})->placement->phase;
  }

  TempDir dir;
  std::shared_ptr<FaultyStore::Control> control = std::make_shared<FaultyStore::Control>();
  std::shared_ptr<FakeAgent> fake = std::make_shared<FakeAgent>();
  store_actor store;
  agent_handle agent;
  snapshot_actor snapshots;
  placement_actor placement;
};

} // namespace avocet
